"""Starting a PKCS#11 module: for several threads, and not while another process logs in."""

from __future__ import annotations

import ctypes
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE = 100
"""Tries, 20 ms apart, to be alone between processes; after them one goes ahead, lest a stuck process stop all."""


@contextmanager
def between_processes(path: str) -> Iterator[None]:
    """Keep starting and logging in apart between the processes of a machine, by a lock on the module's file.

    SoftHSM writes a token's file when it logs in; a process that starts at that moment reads half of it and finds the
    token missing or without a PIN.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for _ in range(_PATIENCE):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


class _InitializeArgs(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS of PKCS#11 2.40, 3.7."""

    _fields_ = (
        ("mutex_functions", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _FunctionList(ctypes.Structure):
    """The first members of CK_FUNCTION_LIST: all that is needed to start a module."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.POINTER(_InitializeArgs))),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


class Starter:
    """Starts a module for several threads.

    python-pkcs11 calls ``C_Initialize(NULL)``, which promises the module a single thread; SoftHSM then takes no locks
    and crashes under two. So the module is started again here, with CKF_OS_LOCKING_OK.
    """

    _OS_LOCKING_OK = 2
    _NOT_INITIALIZED = 0x190

    def __init__(self, path: str) -> None:
        self._path = path
        library = ctypes.CDLL(path)
        functions = ctypes.POINTER(_FunctionList)()
        library.C_GetFunctionList.restype = ctypes.c_ulong
        if library.C_GetFunctionList(ctypes.byref(functions)) != 0:
            raise OSError("C_GetFunctionList failed")
        self._functions = functions.contents

    def restart(self) -> None:
        """C_Finalize, then C_Initialize; OSError with the return value when either fails."""
        ended = self._functions.finalize(None)
        if ended not in (0, self._NOT_INITIALIZED):
            raise OSError(f"C_Finalize gave {ended:#x}")
        args = _InitializeArgs(flags=self._OS_LOCKING_OK)
        with between_processes(self._path):
            started = self._functions.initialize(ctypes.byref(args))
        if started != 0:
            raise OSError(f"C_Initialize gave {started:#x}")
