/* SPDX-License-Identifier: Apache-2.0 */
/* Is this built with a sanitizer that has an allocator of its own? */
#ifndef TESTS_SOAK_SANITIZER_H
#define TESTS_SOAK_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

#endif
