/* See bsd.h. */
struct xucred {
    unsigned cr_version;
    uid_t cr_uid;
    short cr_ngroups;
    gid_t cr_groups[16];
#ifdef LIKE_FREEBSD
    union {
        void *unused;
        pid_t cr_pid;
    };
#endif
};
