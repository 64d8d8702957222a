/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole user space of a Linux guest that jumps into our image by kexec_file_load(2). */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    char line[2048] = "";
    int image = open("/image", O_RDONLY);
    int modules = open("/modules", O_RDONLY);
    int args = open("/args", O_RDONLY);
    long bytes = read(args, line, sizeof(line) - 1);

    if (image < 0 || modules < 0 || bytes < 0)
        perror("kexec_init: files");
    else if (syscall(SYS_kexec_file_load, image, modules, strlen(line) + 1, line, 0UL) != 0)
        perror("kexec_init: kexec_file_load");
    else
        reboot((int)LINUX_REBOOT_CMD_KEXEC);
    perror("kexec_init: not started");
    reboot(RB_POWER_OFF);
    return 1;
}
