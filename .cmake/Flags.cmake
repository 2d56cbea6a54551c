# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags of everything we build.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual
    -Wmissing-prototypes -Wstrict-prototypes -Wwrite-strings -Wundef -Wformat=2
    -Wswitch-enum -Wimplicit-fallthrough -Wvla -fstack-protector-strong)
# Threads' variables without __tls_get_addr: it allocates at a thread's first use and, without memory,
# ends the program. glibc keeps 1664 bytes of such storage for all libraries that are loaded late.
add_compile_options(-ftls-model=initial-exec)
# Debug assertions (lock ranks) stay in every build that is tested; packagers set Release.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
add_compile_definitions($<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-Wthread-safety)
endif()
if(SMARTCA_WERROR)
    add_compile_options(-Werror)
endif()

# What glibc has beyond C11: dladdr, secure_getenv, mkostemp and their kind.
add_compile_definitions(_GNU_SOURCE=)

add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(SMARTCA_SANITIZE)
    add_compile_options(-fsanitize=${SMARTCA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SMARTCA_SANITIZE})
else()
    add_link_options(-Wl,-z,defs)
endif()
if(SMARTCA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
    add_compile_definitions(SMARTCA_FUZZ)
endif()
if(SMARTCA_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
