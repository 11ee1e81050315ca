//go:build e2e

package e2e

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// makePackages runs make package or release and returns what it made: the only file
// of each pattern.
func makePackages(t *testing.T, target string, settings ...string) func(pattern string) string {
	t.Helper()
	out := t.TempDir()
	command(t, "make", append([]string{"-C", repository, "--no-print-directory", target, "OUT=" + out}, settings...)...)
	return oneOf(t, out)
}

// oneOf returns the only file of a pattern in a directory.
func oneOf(t *testing.T, dir string) func(pattern string) string {
	return func(pattern string) string {
		t.Helper()
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %q (%v), want one file", pattern, files, err)
		}
		return files[0]
	}
}

// early is a version from which what is checked out is an upgrade.
const early = "v0.0.0-git1-gabcdef0"

// packages are those of a version for amd64, or of what is checked out, in all formats. Tests
// share them: to build them takes longer than to look at them.
func packages(t *testing.T, version string) func(pattern string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	out := filepath.Join(filepath.Dir(binary), "packages", cmp.Or(version, "current"))
	if _, err := os.Stat(filepath.Join(out, "SHA256SUMS")); err != nil {
		command(t, "make", "-C", repository, "--no-print-directory", "package", "OUT="+out, "ARCHS=amd64", "VERSION="+version)
	}
	return oneOf(t, out)
}

var built sync.Mutex // while there are packages made

// command returns what a program that has to succeed says.
func command(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

const versionScript = repository + "/deploy/package/version.sh"

func version(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(command(t, versionScript, args...))
}

// A package of something later is what replaces one of something earlier, in each
// format.
func TestPackageVersionsSortAsTheyWereMade(t *testing.T) {
	for _, later := range [][2]string{
		{"v0.0.0-git9-g0123456", "v0.0.0-git10-gabcdef0"},
		{"v0.0.0-git396-gabcdef0", "v0.0.1"},
		{"v0.0.0-git396-gabcdef0", "v0.1.0-alpha.1"},
		{"v1.2.3-alpha", "v1.2.3-beta.1"},
		{"v1.2.3-rc.2", "v1.2.3-rc.10"},
		{"v1.2.3-rc.1", "v1.2.3-rc.1-4-gabcdef0"},
		{"v1.2.3-rc.1-4-gabcdef0", "v1.2.3-rc.2"},
		{"v1.2.3-rc.1-4-gabcdef0", "v1.2.3"},
		{"v1.2.3", "v1.2.3-4-gabcdef0"},
		{"v1.2.3-9-g0123456", "v1.2.3-10-gabcdef0"},
		{"v1.2.3-4-gabcdef0", "v1.2.4-rc.1"},
		{"v1.2.3", "v1.2.3-dirty"},
		{"v1.9.0", "v1.10.0"},
	} {
		a, b := version(t, later[0]), version(t, later[1])
		if err := exec.Command("dpkg", "--compare-versions", a, "lt", b).Run(); err != nil {
			t.Errorf("dpkg: %s is not before %s", a, b)
		}
		if order := command(t, "rpm", "--eval", "%{lua:print(rpm.vercmp('"+a+"','"+b+"'))}"); strings.TrimSpace(order) != "-1" {
			t.Errorf("rpm: %s is not before %s: %s", a, b, order)
		}
	}
}

func TestPackageVersions(t *testing.T) {
	for _, tt := range []struct{ describe, deb, apk, archlinux string }{
		{"v1.2.3", "1.2.3", "1.2.3", "1.2.3"},
		{"v1.2.3-rc.1", "1.2.3~rc.1", "1.2.3_rc1", "1.2.3rc.1"},
		{"v0.9.0-beta2", "0.9.0~beta2", "0.9.0_beta2", "0.9.0beta2"},
		{"v1.2.3-4-gabcdef0", "1.2.3+4.gabcdef0", "1.2.3_p4", "1.2.3+4.gabcdef0"},
		{"v1.2.3-rc.1-4-gabcdef0-dirty", "1.2.3~rc.1+4.gabcdef0.dirty", "1.2.3_rc1_p4", "1.2.3rc.1+4.gabcdef0.dirty"},
		{"v0.0.0-git396-gabcdef0", "0.0.0~git396.gabcdef0", "0.0.0_alpha396", "0.0.0git396.gabcdef0"},
	} {
		for _, text := range []string{tt.describe, tt.deb} { // and what it has said
			if got := [3]string{version(t, text), version(t, "--for", "apk", text), version(t, "--for", "archlinux", text)}; got != [3]string{tt.deb, tt.apk, tt.archlinux} {
				t.Errorf("version.sh %s: %q, want %q", text, got, tt)
			}
		}
	}
	for _, text := range []string{"devel", "v1.2.3_1", "v1.2.3 ", "1:2.3", "v"} {
		if out, err := exec.Command(versionScript, text).CombinedOutput(); err == nil {
			t.Errorf("version.sh %q: %s, want a refusal", text, out)
		}
	}
}

// What git says of a checkout without a tag, at a tag, behind it, and changed.
func TestPackageVersionIsGits(t *testing.T) {
	dir := t.TempDir()
	script, err := filepath.Abs(versionScript)
	if err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) {
		command(t, "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
	}
	says := func(want string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		out, err := cmd.CombinedOutput()
		if ok, _ := filepath.Match(want, strings.TrimSpace(string(out))); err != nil || !ok {
			t.Errorf("version.sh: %s (%v), want %s", out, err, want)
		}
	}
	says("0.0.0~devel")
	git("init", "-q")
	git("commit", "-q", "--allow-empty", "-m", "1")
	git("tag", "nightly") // is no version
	says("0.0.0~git1.g???????")
	git("tag", "v0.1.0-rc.1")
	says("0.1.0~rc.1")
	git("commit", "-q", "--allow-empty", "-m", "2")
	says("0.1.0~rc.1+1.g???????")
	git("tag", "-a", "-m", "x", "v0.1.0")
	says("0.1.0")
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	git("add", "f")
	says("0.1.0+dirty")
}

// root runs scripts as root on a copy of this machine's files, which is gone
// with the test. systemd does not run there.
type root struct {
	t   *testing.T
	dir string // is mounted at /mnt of it
}

func newRoot(t *testing.T) *root {
	t.Helper()
	r := &root{t, t.TempDir()}
	if out, err := r.script("true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, nothing is shown: namespaces and overlays are forbidden here: %v\n%s", err, out)
	}
	return r
}

func (r *root) script(text string) *exec.Cmd {
	cmd := exec.CommandContext(r.t.Context(), "unshare", "--mount", "--propagation", "private", "bash", "-euc", `
		mount -t tmpfs none /media
		mkdir /media/{upper,work,root}
		mount -t overlay none -o lowerdir=/,upperdir=/media/upper,workdir=/media/work /media/root
		mount --bind "$1" /media/root/mnt
		mount -t proc none /media/root/proc
		mount -t tmpfs none /media/root/run
		mount -t tmpfs none /media/root/dev
		mknod -m 666 /media/root/dev/null c 1 3
		exec chroot /media/root bash -euc "$0"`, text, r.dir)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd
}

func (r *root) run(text string) string {
	r.t.Helper()
	out, err := r.script(text).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// copy puts a file where a script finds it.
func (r *root) copy(file, name string) {
	r.t.Helper()
	command(r.t, "cp", file, filepath.Join(r.dir, name))
}

// everything prints every name below the directories that a package may touch, and
// who is a user.
const everything = `everything() {
	find /etc /usr/bin /usr/lib /usr/share /var/lib -xdev \( -path /var/lib/dpkg -o -path /var/lib/apt -o -path /usr/lib/python3 -o -path /usr/share/go\* \) -prune \
		-o ! -name .pwd.lock ! -path '/etc/*-' -printf '%p %M %u %g %l\n' | sort
	sort /etc/passwd /etc/group
}
dpkg() { command dpkg --force-depends --force-unsafe-io --no-triggers "$@"; } # an index of all manual pages takes seconds
`

func TestDebInstallsUpgradesAndLeavesNothing(t *testing.T) {
	r := newRoot(t)
	old, current := packages(t, early), packages(t, "")
	r.copy(old("*.deb"), "old.deb")
	r.copy(current("*.deb"), "new.deb")
	const next = "The next step: sudo tailflux init"
	check := func(name, script string, says ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			out := (&root{t, r.dir}).run(everything + script)
			for _, want := range says {
				if want, not := strings.CutPrefix(want, "!"); strings.Contains(out, want) == not {
					t.Errorf("%q: got it %t, want it %t:\n%s", want, not, !not, out)
				}
			}
		})
	}
	check("install", `
		dpkg -i /mnt/new.deb
		id tailflux
		tailflux version
		tailflux check || echo "exit $?"
		stat -c '%n %a %U' /etc/tailflux/tailflux.yaml
		systemctl is-enabled tailflux || true
		man -w tailflux`,
		next, "(adm)", version(t), "exit 2", "/etc/tailflux/tailflux.yaml 644 root", "disabled", "/usr/share/man/man1/tailflux.1.gz")
	check("upgrade asks nothing, whatever became of the configuration", `
		dpkg -i /mnt/old.deb
		printf 'sources:\n  - path: /var/log/nginx/access.log\n' >/etc/tailflux/tailflux.yaml
		systemctl enable tailflux
		echo UPGRADE
		dpkg -i /mnt/new.deb </dev/null | sed 's/next step/NEXT STEP/'
		cat /etc/tailflux/tailflux.yaml
		ls /etc/tailflux
		tailflux version
		systemctl is-enabled tailflux`,
		"UPGRADE", "  - path: /var/log/nginx/access.log", "!dpkg-new", "!dpkg-dist", "!NEXT STEP", version(t), "\nenabled\n")
	check("remove keeps what was made", `
		dpkg -i /mnt/new.deb
		install -d -o tailflux /var/lib/tailflux
		touch /var/lib/tailflux/rejects.jsonl
		echo 'sources: []' >/etc/tailflux/tailflux.yaml
		systemctl enable tailflux
		dpkg -r tailflux
		cat /etc/tailflux/tailflux.yaml
		ls -l /var/lib/tailflux
		id tailflux
		test ! -e /usr/bin/tailflux
		dpkg -i /mnt/old.deb
		tailflux version
		systemctl is-enabled tailflux`, "sources: []", "rejects.jsonl", "(tailflux)", "tailflux "+version(t, early)+" ", "\nenabled\n")
	check("purge leaves nothing", `
		everything >/dev/before
		dpkg -i /mnt/new.deb
		install -d -o tailflux /var/lib/tailflux
		touch /var/lib/tailflux/rejects.jsonl
		echo 'sources: []' >/etc/tailflux/tailflux.yaml
		echo secret >/etc/tailflux/password
		systemctl enable tailflux
		install -D /dev/null /etc/systemd/system/tailflux.service.d/override.conf
		dpkg -P tailflux
		dpkg -i /mnt/new.deb
		systemctl enable tailflux
		dpkg -r tailflux
		dpkg -P tailflux
		everything | diff /dev/before - && echo THE SAME`, "THE SAME")
}

// packaged is what every package has, but for completions of zsh.
var packaged = []string{
	"/etc/tailflux/tailflux.yaml",
	"/usr/bin/tailflux",
	"/usr/share/bash-completion/completions/tailflux",
	"/usr/share/doc/tailflux/CHANGELOG.md.gz",
	"/usr/share/doc/tailflux/docs/log-formats.md",
	"/usr/share/doc/tailflux/docs/state-directory.md",
	"/usr/share/doc/tailflux/examples/tailflux.yaml",
	"/usr/share/doc/tailflux/third-party.gz",
	"/usr/share/fish/vendor_completions.d/tailflux.fish",
	"/usr/share/man/man1/tailflux.1.gz",
	"/usr/share/man/man1/tailflux-check.1.gz",
	"/usr/share/man/man1/tailflux-run.1.gz",
}

// lists fails if a list of paths lacks one, or has something of another's.
func lists(t *testing.T, paths []string, more ...string) {
	t.Helper()
	has := map[string]bool{}
	for _, path := range paths {
		has["/"+strings.Trim(path, "./")] = true
	}
	for _, want := range slices.Concat(packaged, more) {
		if !has[want] {
			t.Errorf("%s is not in it", want)
		}
	}
	for path := range maps.Keys(has) {
		if !strings.Contains(path, "tailflux") && filepath.Ext(path) != "" && !strings.HasSuffix(path, ".d") {
			t.Errorf("%s is in it", path)
		}
	}
}

func TestDeb(t *testing.T) {
	deb := packages(t, "")("*.deb")
	lists(t, strings.Fields(command(t, "sh", "-c", "dpkg-deb --fsys-tarfile "+deb+" | tar -t")),
		"/usr/lib/systemd/system/tailflux.service", "/usr/lib/sysusers.d/tailflux.conf", "/usr/share/zsh/vendor-completions/_tailflux",
		"/usr/share/doc/tailflux/copyright", "/usr/share/doc/tailflux/changelog.gz")
	if got := command(t, "dpkg-deb", "-I", deb, "conffiles"); strings.TrimSpace(got) != "/etc/tailflux/tailflux.yaml" {
		t.Errorf("conffiles: %s", got)
	}
	if got := strings.TrimSpace(command(t, "dpkg-deb", "-f", deb, "Version")); got != version(t) {
		t.Errorf("version %s, want %s", got, version(t))
	}
	if says := command(t, "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", deb); says != "" {
		t.Errorf("lintian: %s", says)
	}
}

func TestRPM(t *testing.T) {
	rpm := packages(t, "")("*.rpm")
	lists(t, strings.Fields(command(t, "rpm", "-qlp", rpm)),
		"/usr/lib/systemd/system/tailflux.service", "/usr/lib/sysusers.d/tailflux.conf", "/usr/share/zsh/site-functions/_tailflux",
		"/usr/share/licenses/tailflux/LICENSE")
	got := command(t, "rpm", "-qp", "--qf", `[%{FILENAMES} %{FILEFLAGS:fflags}\n]%{VERSION}-%{RELEASE} %{ARCH} %{LICENSE}\n`, rpm)
	for _, want := range []string{"/etc/tailflux/tailflux.yaml cn\n", "\n" + version(t) + "-1 x86_64 MIT\n"} { // configuration, not replaced
		if !strings.Contains(got, want) {
			t.Errorf("rpm -q: %s, want %s", got, want)
		}
	}

	// On a copy of this machine: rpmlint unpacks what nfpm packs under absolute names
	// to where they say.
	r := newRoot(t)
	r.copy(rpm, "new.rpm")
	r.copy(packages(t, early)("*.rpm"), "old.rpm")
	r.copy(filepath.Join(repository, "deploy", "package", "rpmlint.toml"), "rpmlint.toml")
	out := r.run("rpmlint --strict -c /mnt/rpmlint.toml /mnt/new.rpm")
	if !strings.Contains(out, "1 packages and 0 specfiles checked; 0 errors, 0 warnings") {
		t.Errorf("rpmlint: %s", out)
	}
	out = r.run(everything + `
		everything | grep -v '^/var/lib/rpm' >/dev/before
		rpm -i --nodeps /mnt/old.rpm
		id tailflux
		echo 'sources: []' >/etc/tailflux/tailflux.yaml
		rpm -U --nodeps /mnt/new.rpm
		tailflux version
		cat /etc/tailflux/tailflux.yaml
		rpm -e tailflux
		ls /etc/tailflux
		rm -r /etc/tailflux
		everything | grep -v '^/var/lib/rpm' | diff /dev/before - || true`)
	for _, want := range []string{"The next step: sudo tailflux init", "(adm)", "tailflux " + version(t) + " ", "\nsources: []\n", "\ntailflux.yaml.rpmsave\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q:\n%s", want, out)
		}
	}
	// The user stays, and directories that belong to nobody on Debian.
	stays := regexp.MustCompile(`^[<>] (tailflux:|adm:|/usr/share/(fish/vendor_completions\.d|licenses|zsh/site-functions) d)`)
	for line := range strings.Lines(out) { // what diff says
		if (strings.HasPrefix(line, "< ") || strings.HasPrefix(line, "> ")) && !stays.MatchString(line) {
			t.Errorf("left or gone: %s", line)
		}
	}
}

func TestAPK(t *testing.T) {
	apk := packages(t, "")("*.apk")
	names := strings.Fields(command(t, "sh", "-c", "tar -tzf "+apk+" 2>/dev/null")) // three archives in one
	lists(t, slices.DeleteFunc(names, func(name string) bool { return !strings.Contains(name, "/") }),
		"/var/lib/tailflux", "/usr/share/zsh/site-functions/_tailflux", "/usr/share/licenses/tailflux/LICENSE")
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "systemd") }) {
		t.Error("Alpine has no systemd")
	}
	info := command(t, "sh", "-c", "tar -xOzf "+apk+" .PKGINFO 2>/dev/null")
	for line := range strings.Lines(info) {
		if !strings.Contains(line, " = ") {
			t.Errorf(".PKGINFO: %q", line)
		}
	}
	if !strings.Contains(info, "pkgver = "+version(t, "--for", "apk", version(t))+"\n") {
		t.Errorf(".PKGINFO: %s", info)
	}
}

func TestArchLinux(t *testing.T) {
	file := packages(t, "")("*.pkg.tar.zst")
	names := strings.Fields(command(t, "tar", "--zstd", "-tf", file))
	lists(t, slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") }),
		"/usr/lib/systemd/system/tailflux.service", "/usr/lib/sysusers.d/tailflux.conf", "/usr/share/zsh/site-functions/_tailflux",
		"/usr/share/licenses/tailflux/LICENSE")
	info := command(t, "tar", "--zstd", "-xOf", file, ".PKGINFO")
	for _, want := range []string{"pkgver = " + version(t, "--for", "archlinux", version(t)) + "-1\n", "backup = etc/tailflux/tailflux.yaml\n", "arch = x86_64\n"} {
		if !strings.Contains(info, want) {
			t.Errorf(".PKGINFO has no %q: %s", want, info)
		}
	}
	if script := command(t, "tar", "--zstd", "-xOf", file, ".INSTALL"); !strings.Contains(script, "post_install()") || !strings.Contains(script, "sudo tailflux init") {
		t.Errorf(".INSTALL: %s", script)
	}
}
