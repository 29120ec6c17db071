/* See bsd.h. */
char ***_NSGetEnviron(void);
