/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_HOST_H
#define PROBE_HOST_H

/* What the program does when it is not PID 1: serves make-images and run-probe on the host. */
int host_main(int argc, char **argv);

#endif
