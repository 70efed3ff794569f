# SPDX-License-Identifier: GPL-2.0-or-later OR Apache-2.0
#
# The images that tests and test vectors stand on, and the tools that make them.

# build-erofs-utils installs what it needs to build, when it has to build.
DEPS_IMAGES := python3 python3-yaml

.PHONY: erofs-utils images
erofs-utils: ## build: Provide erofs-utils 1.9 or newer in build/tools/bin
	$(Q)tests/tools/build-erofs-utils

images: ## update: Make the images in tests/images and spec/base anew (as root)
	$(Q)$(MAKE) --no-print-directory deps-images
	$(Q)$(MAKE) --no-print-directory erofs-utils
	$(Q)tests/tools/make-images tests/images/images.yaml spec/base/images.yaml
