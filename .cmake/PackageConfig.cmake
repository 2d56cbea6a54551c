# SPDX-License-Identifier: Apache-2.0
# Read by cpack before it begins. The same contents make the same package, byte by byte: its times are the
# changelog's, not the clock's.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
    set(ENV{SOURCE_DATE_EPOCH} ${CPACK_SMARTCA_EPOCH})
endif()
set(CPACK_RPM_SPEC_MORE_DEFINE "%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _buildhost reproducible
%define packager ${CPACK_PACKAGE_CONTACT}
%define _build_id_links none")
