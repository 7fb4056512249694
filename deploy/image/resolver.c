/*
 * Keeps the statically linked C library from loading plugins.
 *
 * glibc resolves names with what /etc/nsswitch.conf lists, and loads a library of the host for each but `files` and `dns`:
 * into a static program too, whose own glibc is another one. It then crashes, as on a Debian 13 with libnss-mdns or
 * libnss-resolve. The linker puts this in the place of the function that loads them; a plugin is then one that is not
 * there, and names are resolved by /etc/hosts and DNS.
 */
void *__wrap___libc_dlopen_mode(const char *name, int mode)
{
    (void)name;
    (void)mode;
    return 0;
}
