# SPDX-License-Identifier: Apache-2.0
# The module over scripted backends (tests/module).
smartca_fuzz_target(calls module_stage)
smartca_fuzz_target(template module_stage)
smartca_fuzz_target(digestinfo module_stage)
foreach(name calls template)
    target_sources(fuzz_${name} PRIVATE quiet.c)
endforeach()
