package lab

import (
	"fmt"
	"syscall"
)

func threadID() int { return syscall.Gettid() }

// senderAttr puts a child into a process group of its own and has the kernel end
// it when the thread that started it ends.
func senderAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// enterNamespace gives the calling thread a mount namespace in which file stands
// in the place of /etc/resolv.conf.
func enterNamespace(file string) error {
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount namespace: making it private: %w", err)
	}
	if err := syscall.Mount(file, "/etc/resolv.conf", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount namespace: %s over /etc/resolv.conf: %w", file, err)
	}
	return nil
}

func killGroup(pgid int, sig syscall.Signal) error { return syscall.Kill(-pgid, sig) }
