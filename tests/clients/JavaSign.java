// SPDX-License-Identifier: Apache-2.0
import java.io.FileOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;

/**
 * Signs with a token from several threads, and an XML document: java JavaSign CONFIGURATION ALIAS THREADS EACH.
 *
 * <p>The PIN is in the environment, PIN. Writes THREAD-I.txt and THREAD-I.sig, and signs contract.xml into
 * signed.xml, in the current folder.
 */
class JavaSign {
    private static final String DSIG_MORE = "http://www.w3.org/2001/04/xmldsig-more#";

    private final PrivateKey key;
    private final X509Certificate certificate;
    private final Provider provider;
    private final boolean isEc;

    private JavaSign(String configuration, String alias, char[] pin) throws Exception {
        provider = Security.getProvider("SunPKCS11").configure(configuration);
        KeyStore store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, pin);
        key = (PrivateKey) store.getKey(alias, null);
        certificate = (X509Certificate) store.getCertificate(alias);
        isEc = key.getAlgorithm().equals("EC");
    }

    private Void signMany(int thread, int count) throws Exception {
        Signature signature = Signature.getInstance(isEc ? "SHA256withECDSA" : "SHA256withRSA", provider);
        for (int i = 0; i < count; i++) {
            byte[] text = ("thread " + thread + ", contract " + i + "\n").getBytes();
            signature.initSign(key);
            signature.update(text);
            Files.write(Path.of(thread + "-" + i + ".txt"), text);
            Files.write(Path.of(thread + "-" + i + ".sig"), signature.sign());
        }
        return null;
    }

    private void signInThreads(int threads, int each) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Callable<Void>> work = new ArrayList<>();
        for (int thread = 0; thread < threads; thread++) {
            int number = thread;
            work.add(() -> signMany(number, each));
        }
        try {
            for (Future<Void> done : pool.invokeAll(work)) {
                done.get();
            }
        } finally {
            pool.shutdown();
        }
    }

    private void signXml() throws Exception {
        DocumentBuilderFactory documents = DocumentBuilderFactory.newInstance();
        documents.setNamespaceAware(true);
        Document document = documents.newDocumentBuilder().parse(Path.of("contract.xml").toFile());
        XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
        Transform enveloped = factory.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null);
        Reference whole =
                factory.newReference(
                        "", factory.newDigestMethod(DigestMethod.SHA256, null), List.of(enveloped), null, null);
        SignedInfo info =
                factory.newSignedInfo(
                        factory.newCanonicalizationMethod(
                                CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
                        factory.newSignatureMethod(DSIG_MORE + (isEc ? "ecdsa-sha256" : "rsa-sha256"), null),
                        List.of(whole));
        KeyInfoFactory keys = factory.getKeyInfoFactory();
        KeyInfo keyInfo = keys.newKeyInfo(List.of(keys.newX509Data(List.of(certificate))));
        DOMSignContext context = new DOMSignContext(key, document.getDocumentElement());
        context.setProperty("org.jcp.xml.dsig.internal.dom.SignatureProvider", provider);
        factory.newXMLSignature(info, keyInfo).sign(context);
        try (FileOutputStream out = new FileOutputStream("signed.xml")) {
            TransformerFactory.newInstance().newTransformer().transform(new DOMSource(document), new StreamResult(out));
        }
    }

    public static void main(String[] arguments) throws Exception {
        JavaSign signer = new JavaSign(arguments[0], arguments[1], System.getenv("PIN").toCharArray());
        signer.signInThreads(Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        signer.signXml();
    }
}
