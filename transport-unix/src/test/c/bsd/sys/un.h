/* See bsd.h. */
struct sockaddr_un {
    unsigned char sun_len;
    unsigned char sun_family;
    char sun_path[104];
};

#if defined(LIKE_MACOS)
#define SOL_LOCAL 0
#define LOCAL_PEERCRED 1
#define LOCAL_PEERPID 2
#elif defined(LIKE_FREEBSD)
#define SOL_LOCAL 0
#define LOCAL_PEERCRED 1
#define LOCAL_CREDS 2
#define LOCAL_CREDS_PERSISTENT 3
#elif defined(LIKE_NETBSD)
#define LOCAL_CREDS 4
#define LOCAL_PEEREID 3
struct unpcbid {
    pid_t unp_pid;
    uid_t unp_euid;
    gid_t unp_egid;
};
#endif
