/*
 * Keeps the statically linked C library from loading plugins.
 *
 * For each source in /etc/nsswitch.conf except `files` and `dns`, glibc loads a library of the host, even into a static
 * program, which contains a different glibc. The program then crashes, for example on Debian 13 with libnss-mdns or
 * libnss-resolve. The linker replaces the function that loads these libraries with this one: they then count as missing,
 * and names are resolved by /etc/hosts and DNS.
 */
void *__wrap___libc_dlopen_mode(const char *name, int mode)
{
    (void)name;
    (void)mode;
    return 0;
}
