/*
 * Gives memory back to the system.
 *
 * glibc takes blocks over 128 KB from the system one by one and gives each back when it is freed, but only until one is freed:
 * from then on it takes blocks of that size from its heaps, which keep what was freed as long as anything lies behind it. After
 * two hundred operations have caught up at once, that is hundreds of megabytes, for good. A fixed limit turns this off.
 *
 * Runs before main. Rust has no safe way to say this.
 */
#include <malloc.h>

__attribute__((constructor)) static void fix_mmap_threshold(void)
{
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}
