# A thin front: `swift build` builds oomlet, Tests/VM/build-kernel the test kernel.

PACKAGES = libbpf-dev libelf-dev zlib1g-dev libjansson-dev libseccomp-dev libyaml-dev pkg-config \
	linux-source-6.12 bc bison flex cpio dwarves rsync gcc libc6-dev make patch libssl-dev xz-utils zstd kmod \
	qemu-system-x86 busybox-static e2fsprogs bpftool runc crun containerd jq curl prometheus iproute2 procps python3 python3-jsonschema python3-yaml \
	mmdebstrap systemd python3-venv $(if $(shell command -v kubectl),,kubernetes-client)

VERSION = $(shell sed -n 's/.*"\(.*\)"/\1/p' Sources/OomletModel/Version.swift)
PREFIX = /usr/local
libexec = $(PREFIX)/libexec/oci/hooks.d
# Where podman and CRI-O look, wherever the rest is
hooksdir = /usr/share/containers/oci/hooks.d
unitdir = $(PREFIX)/lib/systemd/system
mandir = $(PREFIX)/share/man
docdir = $(PREFIX)/share/doc/oomlet
includedir = $(PREFIX)/include/oomlet

help:
	@echo "make deps     install the Debian packages that building and testing need (as root)"
	@echo "make build    build oomlet and oomlet-hook (static, into .build/release)"
	@echo "make demo     a container's annotation decides its OOM, shown on Debian's newest kernel (KERNEL=bpf-oom: the test kernel)"
	@echo "make test     all tests: lint, units, the kernel's interface, the scenarios in the test kernel"
	@echo "make fuzz     the parsers that a stranger can reach, fuzzed for a minute; CI runs it after the tests"
	@echo "make install  what is built, on this machine (PREFIX=$(PREFIX), DESTDIR=); make uninstall"
	@echo "make stock    fetch Debian's own kernels, for Tests/VM/vm --kernel stock:NAME"
	@echo "make lint unit packaging recipes kernel interface scenarios   one of these alone"

deps:
	@dpkg-query -W $(PACKAGES) >/dev/null 2>&1 || { \
		[ "$$(id -u)" = 0 ] || { echo "make: as root, once: make deps" >&2; exit 1; }; \
		apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(PACKAGES); }

build: deps
	swift build -c release --product oomlet-hook
	swift build -c release --product oomlet

# The proposal on two bases, and what may follow it; all scenarios run on the first, a core set on the others
bases = 7.3 6.12 successor
# Of Debian's kernels: tracing programs decide on the first, on which the core set runs; nothing does on the second
tested_stocks = 7.3 6.1

kernel: deps
	for base in $(bases); do Tests/VM/build-kernel --base $$base || exit; done
	Tests/VM/fetch-stock $(tested_stocks)

# Debian's own kernels, the newest release of each
stocks = 7.3 7.2 6.18 6.16 6.12 6.1

stock: deps
	Tests/VM/fetch-stock $(stocks)

# KERNEL=bpf-oom: the test kernel with OOM policies in BPF, which is built first; else one of Debian's own
demo: build deps
ifeq ($(KERNEL),bpf-oom)
	Tests/VM/build-kernel
	Tests/Scenarios/run demo
else
	Tests/VM/fetch-stock $(firstword $(tested_stocks))
	Tests/Scenarios/run --kernel stock:$(firstword $(tested_stocks)) demo
endif

lint: deps
	swift format lint --strict --recursive Package.swift Sources Tests
	for script in $(addprefix Tests/VM/,build-kernel fetch-sources fetch-stock vm check-interface boots) $(addprefix Tests/,Scenarios/run Packaging/run Fuzz/run) \
		Tests/Scenarios/build-trixie Tests/Scenarios/*.sh; do bash -n $$script || exit; done

unit: deps
	swift test

packaging: build
	Tests/Packaging/run

recipes: build
	Tests/Recipes/run

interface: kernel
	for base in $(bases); do Tests/VM/check-interface --base $$base || exit; done

trixie: deps
	Tests/Scenarios/build-trixie

# All by rename, for containers start meanwhile; a program before the hook's entries that name it
put = install -D -m $(1) $(2) $(DESTDIR)$(3).new && mv -f $(DESTDIR)$(3).new $(DESTDIR)$(3)
put_with_paths = mkdir -p $(dir $(DESTDIR)$(2)) && \
	sed -e 's|/usr/libexec/oci/hooks\.d|$(libexec)|' -e 's|/usr/bin/|$(PREFIX)/bin/|' $(1) >$(DESTDIR)$(2).new && \
	chmod 644 $(DESTDIR)$(2).new && mv -f $(DESTDIR)$(2).new $(DESTDIR)$(2)

install:
	@for program in oomlet oomlet-hook; do [ -x .build/release/$$program ] || { echo "make: first: make build" >&2; exit 1; }; done
	$(call put,755,.build/release/oomlet,$(PREFIX)/bin/oomlet)
	$(call put,755,.build/release/oomlet-hook,$(libexec)/oomlet-hook)
	$(call put_with_paths,manifests/oomlet-agent.service,$(unitdir)/oomlet-agent.service)
	for page in docs/man/*.?; do install -D -m 644 -t $(DESTDIR)$(mandir)/man$${page##*.} $$page || exit; done
	install -D -m 644 -t $(DESTDIR)$(includedir) bpf/include/oomlet/*.h bpf/abi/include/*.h
	install -D -m 644 -t $(DESTDIR)$(docdir) examples/config.yaml
	$(call put_with_paths,hooks/50-oomlet-poststop.json,$(hooksdir)/50-oomlet-poststop.json)
	$(call put_with_paths,hooks/50-oomlet.json,$(hooksdir)/50-oomlet.json)

# The hook's entries first: one that is left behind would name a program that is gone
uninstall:
	rm -f $(DESTDIR)$(hooksdir)/50-oomlet.json $(DESTDIR)$(hooksdir)/50-oomlet-poststop.json
	rm -f $(DESTDIR)$(libexec)/oomlet-hook
	rm -f $(DESTDIR)$(unitdir)/oomlet-agent.service
	rm -f $(DESTDIR)$(PREFIX)/bin/oomlet
	for page in docs/man/*.?; do rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done
	rm -rf $(DESTDIR)$(includedir) $(DESTDIR)$(docdir)

# What is in the agent's image, and that image
imageroot = .build/image
image-root:
	rm -rf $(imageroot)
	@$(MAKE) -s install DESTDIR=$(imageroot) PREFIX=/usr
	rm -rf $(addprefix $(imageroot)/usr/,include share/man share/doc lib)
	install -D -m 755 $$(command -v busybox) $(imageroot)/bin/busybox
	install -D -m 755 manifests/kubernetes/node-files $(imageroot)/usr/libexec/oomlet/node-files

image: build image-root
	podman build -t oomlet:$(VERSION) -f manifests/Containerfile $(imageroot)

scenarios: build kernel trixie
	Tests/Scenarios/run -j 3
	Tests/Scenarios/run -j 2 --kernel stock:$(firstword $(tested_stocks)) --core
	for base in $(filter-out $(firstword $(bases)),$(bases)); do Tests/Scenarios/run -j 3 --base $$base --core || exit; done

fuzz: deps
	Tests/Fuzz/run --seconds 60

test: lint unit build packaging recipes kernel interface scenarios
	@echo "all tests passed"

.PHONY: help deps build kernel stock trixie install uninstall image-root image demo lint unit packaging recipes interface scenarios fuzz test
