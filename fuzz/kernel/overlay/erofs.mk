# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
# At the end of fs/erofs/Makefile: coverage of this directory alone, with lines for reports on it,
# and at most one file that is another.

ifeq ($(CONFIG_EROFS_FS_FUZZ),y)
ccflags-y += -fsanitize-coverage=trace-pc,trace-cmp -g
obj-y += fuzz/
planted := $(patsubst "%",%,$(CONFIG_EROFS_FS_FUZZ_PLANTED))
ifneq ($(planted),)
planted-files := $(notdir $(wildcard $(src)/fuzz/planted/$(planted)/*.c))
erofs-y := $(foreach o,$(erofs-objs) \
	$(erofs-y),$(if $(filter $(o:.o=.c),$(planted-files)),fuzz/planted/$(planted)/$(o),$(o)))
erofs-objs :=
ccflags-y += -I$(src)
endif
endif
