"""Run a step on Windows. A file `0` or `1` sends Ctrl-C or Ctrl-Break to its console."""

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path


def send(event: int) -> None:
    """Start the thread that Windows starts for an event, because Wine 8 sends no Ctrl-Break."""
    kernel = ctypes.CDLL("kernel32")  # x86-64 has one calling convention
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.CreateRemoteThread.argtypes = [*[ctypes.c_void_p] * 5, ctypes.c_uint32, ctypes.c_void_p]
    routine = ctypes.cast(ctypes.CDLL("kernelbase").CtrlRoutine, ctypes.c_void_p)
    processes = (ctypes.c_uint32 * 64)()
    for process in processes[: kernel.GetConsoleProcessList(processes, 64)]:
        if process != os.getpid():
            handle = kernel.OpenProcess(0x1FFFFF, 0, process)
            kernel.CreateRemoteThread(handle, None, 0, routine, event, 0, None)


with Path("output").open("wb") as log:
    step = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    while step.poll() is None:
        for file in Path().glob("[01]"):
            file.unlink()
            send(int(file.name))
        time.sleep(0.02)
Path("exit-code").write_text(str(step.returncode), "utf-8")
