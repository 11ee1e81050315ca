package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What xz makes of two lines.
const inXz = "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\x01\x00\x07one\ntwo\n\x00" +
	"\x51\xab\x9e\xaf\x57\x75\x70\x49\x00\x01\x20\x08\xbb\x19\xd9\xbb\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a"

// A file that nobody can unpack here was read as lines of noise, each of which was
// rejected, and all was said to be well. The files beside it are read all the same.
func TestFileIsCompressedWithXz(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30))
	in.shell("mv access.log access.log.3; gzip access.log.3; mv access.log.3.gz misnamed.zst; touch -d yesterday misnamed.zst")
	bad := in.elsewhere("access.log.2.gz", inXz)
	in.write(lines(30, 20))
	in.shell("mv access.log access.log.1")
	good := filepath.Join(filepath.Dir(in.log), "misnamed.zst")
	says := bad + " is compressed with xz, which tailflux cannot read: unpack it first: xz -dc <" + bad + " >" + bad + ".unpacked"

	code, out := in.run("import", good, bad, in.log+".1")
	if code != 1 || !strings.Contains(out, says[:len(bad)+60]) || !strings.Contains(out, "import: could not be read to the end: "+bad) {
		t.Errorf("import: exit code %d, want 1 and that %s:\n%s", code, says, out)
	}
	in.want(50)
	if entries, err := os.ReadFile(filepath.Join(in.state, "rejects.jsonl")); err == nil && len(entries) > 0 {
		t.Errorf("lines of it are rejected: %s", entries)
	}

	code, out = in.run("verify", good, bad, in.log+".none", in.log+".1")
	if code != 1 || !strings.Contains(out, "tailflux: verify: "+says+"\nverify: ") || !strings.Contains(out, "access.log.none: no such file") || strings.Count(out, "points in InfluxDB") != 2 {
		t.Errorf("verify: exit code %d, want 1, that %s, and the other two files:\n%s", code, says, out)
	}
	if code, out := in.run("verify", good, in.log+".1"); code != 0 {
		t.Errorf("verify of the others: exit code %d:\n%s", code, out)
	}

	if code, _, errs := explainWith(t, "", "--format=combined", "--file", bad); code != 1 || errs != "tailflux: explain: "+says+"\n" {
		t.Errorf("explain: exit code %d, %s", code, errs)
	}
	if code, out, errs := explainWith(t, "", "--format=combined", "--file", good); code != 0 || strings.Count(out, "\nline ") != 30 {
		t.Errorf("explain of a compressed file: exit code %d, %s%s", code, out, errs)
	}
}

// A file that is damaged is named, and the others are compared.
func TestVerifyOfADamagedFile(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 300))
	in.shell("cp access.log other; gzip -k access.log; truncate -s -20 access.log.gz")
	other := filepath.Join(filepath.Dir(in.log), "other")
	in.imported(300, other)
	code, out := in.run("verify", in.log+".gz", other)
	if code != 1 || !strings.Contains(out, "tailflux: verify: read "+in.log+".gz: unpack: unexpected EOF\n") || strings.Count(out, "points in InfluxDB") != 1 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// Nginx writes a gzip stream when access_log has the parameter gzip, and people follow
// what is not going to grow. Neither can be followed; import reads both.
func TestFollowedLogIsCompressed(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30))
	in.shell("gzip access.log; mv access.log.gz access.log")
	says := "--path: " + in.log + " is compressed with gzip, and only plain text can be followed: " +
		"if nginx writes it, remove the parameter gzip of its access_log; tailflux import reads what is in it\n"
	for _, command := range [][]string{{"check"}, {"run"}, {"run", "--once"}} {
		if code, out := in.run(command[0], command[1:]...); code != exitUsage || out != says {
			t.Errorf("%s: exit code %d, want %d: %s", command, code, exitUsage, out)
		}
	}
	in.imported(30, in.log)
	f := in.elsewhere("more", lines(30, 10))
	in.shell("gzip -c " + f + " >>access.log") // another flush
	in.imported(40, in.log)
	in.imported(40, in.log)
	if code, v := in.verify(in.log); code != 0 || v.Found != 40 {
		t.Errorf("verify: exit code %d, %+v", code, v)
	}

	if err := os.WriteFile(in.log, []byte(inXz), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := in.run("check"); code != exitUsage || !strings.Contains(out, "is compressed with xz, which tailflux cannot read: unpack it first: ") {
		t.Errorf("check: exit code %d: %s", code, out)
	}
}

// The other files of the glob are delivered.
func TestOnceOneFileOfAGlobIsCompressed(t *testing.T) {
	in := newInstallation(t)
	in.write(lines(0, 30))
	in.shell("cp access.log shop.log; gzip -c access.log >pets.log")
	in.log = filepath.Join(filepath.Dir(in.log), "*.log")
	code, out := in.run("run", "--once")
	pets := filepath.Join(filepath.Dir(in.log), "pets.log")
	if code != 1 || !strings.Contains(out, "tailflux: "+pets+" is compressed with gzip") || !strings.Contains(out, `"written":60`) {
		t.Errorf("exit code %d, want 1 and that %s is compressed:\n%s", code, pets, out)
	}
	in.want(60)
}
