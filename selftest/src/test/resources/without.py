"""Runs a program on a kernel that seems to lack something: without.py CALL[:ARGUMENT=VALUE]:ERRNO ... -- PROGRAM ...

seccomp(2) lets these system calls fail with that error, optionally only if an argument (0 to 5) has that value.
"""
import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    'x86_64': {'setsockopt': 54, 'getsockopt': 55, 'memfd_create': 319},
    'aarch64': {'setsockopt': 208, 'getsockopt': 209, 'memfd_create': 279},
}[platform.machine()]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7fff0000, 0x00050000


def filter_of(rule):
    """The instructions of one filter; those of several are applied one after another."""
    call, *condition, error = rule.split(':')
    code = [(LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 3 if condition else 1, NUMBERS[call])]
    if condition:
        argument, value = condition[0].split('=')
        code += [(LOAD, 0, 0, 16 + 8 * int(argument)), (JUMP_IF_EQUAL, 0, 1, int(value))]
    code += [(RETURN, 0, 0, FAIL | getattr(errno, error)), (RETURN, 0, 0, ALLOW)]
    return b''.join(struct.pack('HBBI', *instruction) for instruction in code), len(code)


libc = ctypes.CDLL(None, use_errno=True)
end = sys.argv.index('--')
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
for rule in sys.argv[1:end]:
    instructions, count = filter_of(rule)
    program = struct.pack('HxxxxxxP', count, ctypes.addressof(kept := ctypes.create_string_buffer(instructions)))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(program), 0, 0) != 0:
        sys.exit('no filter: ' + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
