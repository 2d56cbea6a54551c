# SPDX-License-Identifier: Apache-2.0
"""LibreOffice Writer without a window, driven through UNO: a document is signed as PDF and as ODT.

  libreoffice.py PROFILE SERIAL PIN TEXT PDF ODT -- paths are absolute; SERIAL is the certificate's, in hex
                 without zeros in front; TEXT is what the document says
"""
import os
import signal
import subprocess
import sys
import time

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.embed import ElementModes
from com.sun.star.lang import XInitialization, XServiceInfo, XSingleComponentFactory
from com.sun.star.task import XInteractionHandler2

SECONDS = 60
HANDLER = "com.sun.star.task.InteractionHandler"


class Service(unohelper.Base, XServiceInfo):
    def getImplementationName(self):
        return "test." + type(self).__name__

    def supportsService(self, name):
        return name == HANDLER

    def getSupportedServiceNames(self):
        return (HANDLER,)


class Person(Service, XInteractionHandler2, XInitialization):
    """Types the PIN where LibreOffice would open a window. Headless, it opens none and gives up."""

    def __init__(self, pin):
        self.pin = pin

    def initialize(self, arguments):
        pass

    def handle(self, request):
        self.handleInteractionRequest(request)

    def handleInteractionRequest(self, request):
        wanted = uno.getTypeByName("com.sun.star.task.XInteractionPassword")
        for choice in request.getContinuations():
            if choice.queryInterface(wanted):
                choice.setPassword(self.pin)
                choice.select()
                return True
        return False


class People(Service, XSingleComponentFactory):
    def __init__(self, pin):
        self.pin = pin

    def createInstanceWithContext(self, context):
        return Person(self.pin)

    def createInstanceWithArgumentsAndContext(self, arguments, context):
        return Person(self.pin)


def properties(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def typed(**values):
    """Properties inside of an any, which Python's list would not be."""
    return uno.Any("[]com.sun.star.beans.PropertyValue", properties(**values))


class Office:
    def __init__(self, profile, pin):
        pipe = f"smartca{os.getpid()}"
        self.process = subprocess.Popen(
            ["soffice", "--headless", "--norestore", "--nodefault", f"--accept=pipe,name={pipe};urp;",
             f"-env:UserInstallation=file://{profile}"], stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            self.context = self._connect(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except BaseException:
            self.kill()
            raise
        self.manager = self.context.ServiceManager
        self.manager.remove("com.sun.star.comp.uui.UUIInteractionHandler")
        self.manager.insert(People(pin))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.service("com.sun.star.frame.Desktop").terminate()
                if self.process.wait(SECONDS) != 0:
                    raise RuntimeError(f"LibreOffice ended with {self.process.returncode}")
        finally:
            self.kill()

    def kill(self):
        """The program is a child of the script that started it; both are in one session."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def _connect(self, address):
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"LibreOffice ended with {self.process.returncode}")
            try:
                return resolver.resolve(address)
            except NoConnectException:
                time.sleep(0.05)
        raise TimeoutError("LibreOffice does not answer")

    def service(self, name, *arguments):
        if arguments:
            return self.manager.createInstanceWithArgumentsAndContext(name, arguments, self.context)
        return self.manager.createInstanceWithContext(name, self.context)

    def certificate(self, serial):
        """The list of the certificate window: here LibreOffice logs in to every token that asks."""
        security = self.service("com.sun.star.xml.crypto.SEInitializer").createSecurityContext("")
        found = None
        for one in security.getSecurityEnvironment().getPersonalCertificates():
            number = bytes(byte & 255 for byte in one.SerialNumber).hex().upper().lstrip("0")
            print(number, one.SubjectName, flush=True)
            if number == serial:
                found = one
        if not found:
            raise RuntimeError(f"LibreOffice does not list certificate {serial}")
        return found

    def write(self, text, certificate, pdf, odt):
        desktop = self.service("com.sun.star.frame.Desktop")
        document = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, properties(Hidden=True))
        document.Text.setString(text)
        document.storeToURL("file://" + pdf, properties(
            FilterName="writer_pdf_Export", FilterData=typed(SignPDF=True, SignatureCertificate=certificate)))
        document.storeToURL("file://" + odt, properties(FilterName="writer8"))
        document.close(True)

    def _package(self, path, mode):
        factory = self.service("com.sun.star.embed.StorageFactory")
        arguments = ("file://" + path, mode, typed(StorageFormat="ZipFormat"))
        return uno.invoke(factory, "createInstanceWithArguments", (arguments,))

    def sign(self, certificate, odt):
        """As File, Digital Signatures does it. What is read and what is written are two storages: one that
        is open for writing cannot be read, an exception that ends the connection instead of the call."""
        reader = self._package(odt, ElementModes.READ)
        writer = self._package(odt, ElementModes.READWRITE)
        meta = writer.openStorageElement("META-INF", ElementModes.READWRITE)
        stream = meta.openStreamElement("documentsignatures.xml", ElementModes.READWRITE)
        signer = self.service("com.sun.star.security.DocumentDigitalSignatures", "1.3", False)
        if not signer.signDocumentWithCertificate(certificate, reader, stream):
            raise RuntimeError("LibreOffice has not signed the ODT")
        meta.commit()
        writer.commit()


def main(profile, serial, pin, text, pdf, odt):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("out of time"))
    with Office(profile, pin) as office:
        certificate = office.certificate(serial)
        with open(text, encoding="utf-8") as file:
            office.write(file.read(), certificate, pdf, odt)
        office.sign(certificate, odt)


main(*sys.argv[1:])
