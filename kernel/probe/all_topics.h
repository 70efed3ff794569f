/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_ALL_TOPICS_H
#define PROBE_ALL_TOPICS_H

void topic_read(void);
void topic_conditions(void);
void topic_layouts(void);
void topic_backings(void);
void topic_options(void);
void topic_remount(void);
void topic_decided(void);
void topic_mmap(void);
void topic_fadvise(void);
void topic_pressure(void);
void topic_lifetime(void);
void topic_direct_io(void);
void topic_program(void);
void topic_content(void);
void topic_io_error(void);
void topic_splice(void);
void topic_hidden(void);
void topic_stacked(void);
void topic_accounting(void);
void topic_races(void);
void topic_finding_block_size(void);
void topic_finding_unmount(void);
void topic_finding_unmount_file(void);
void topic_finding_unmount_compressed(void);
void topic_finding_remount(void);
void topic_finding_remount_domain(void);
void topic_finding_remount_feature(void);

#endif
