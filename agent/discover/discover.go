// Package discover finds out what the host itself is: name, maker, model, serial number and software, from DMI,
// os-release and the kernel. It reads a handful of small files below a root folder and runs nothing. What the
// configuration says always wins; this only fills what it leaves open.
package discover

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds what is read of any one file: all of them are a few lines.
const maxFile = 64 << 10

// Host is what could be found; what could not is empty.
type Host struct {
	Hostname    string
	Brand       string // maker
	Model       string // product name
	Series      string // product family
	Serial      string // of the chassis, else of the product, else the machine ID
	PartNo      string // SKU
	HWVersion   string
	SWVersion   string // VERSION_ID of os-release, else the kernel's release
	Description string // PRETTY_NAME and kernel
}

// fillers are what makers leave in DMI when they put nothing there.
var fillers = []string{
	"to be filled by o.e.m.", "default string", "system serial number", "system product name", "system manufacturer",
	"system version", "not specified", "not applicable", "none", "unknown", "o.e.m.", "empty", "sku", "0", "0123456789",
}

// Read looks below root, "/" on a real host.
func Read(root string) Host {
	dmi := func(names ...string) string {
		for _, n := range names {
			if v := cleaned(read(root, "sys/class/dmi/id", n)); v != "" {
				return v
			}
		}
		return ""
	}
	release := parseRelease(readAll(root, "etc/os-release"), readAll(root, "usr/lib/os-release"))
	kernel := read(root, "proc/sys/kernel", "osrelease")
	h := Host{
		Hostname:  read(root, "proc/sys/kernel", "hostname"),
		Brand:     dmi("sys_vendor", "board_vendor", "chassis_vendor"),
		Model:     dmi("product_name", "board_name"),
		Series:    dmi("product_family"),
		Serial:    dmi("chassis_serial", "product_serial", "board_serial"),
		PartNo:    dmi("product_sku"),
		HWVersion: dmi("product_version", "chassis_version", "board_version"),
		SWVersion: first(release["VERSION_ID"], kernel),
	}
	h.Serial = first(h.Serial, read(root, "etc", "machine-id"))
	h.Model = first(h.Model, release["ID"])
	h.Series = first(h.Series, release["NAME"])
	h.Brand = first(h.Brand, release["NAME"])
	h.Description = release["PRETTY_NAME"]
	if kernel != "" {
		h.Description = strings.TrimPrefix(h.Description+", kernel "+kernel, ", ")
	}
	return h
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func cleaned(v string) string {
	for _, f := range fillers {
		if strings.EqualFold(v, f) {
			return ""
		}
	}
	return v
}

func read(root, dir, name string) string {
	line, _, _ := strings.Cut(string(readAll(root, filepath.Join(dir, name))), "\n")
	return strings.TrimSpace(line)
}

// readAll gives nothing for a file that is missing or not ours to read: serial numbers are for root alone, and an agent
// without that right falls back.
func readAll(root, path string) []byte {
	f, err := os.Open(filepath.Join(root, path))
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, maxFile)
	n, _ := f.Read(b)
	return b[:n]
}

// parseRelease reads os-release(5): KEY=value lines, the value perhaps quoted. The first file that has anything counts.
func parseRelease(files ...[]byte) map[string]string {
	out := map[string]string{}
	for _, b := range files {
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			key, value, ok := strings.Cut(s.Text(), "=")
			if ok && !strings.HasPrefix(key, "#") {
				out[key] = strings.Trim(value, `"'`)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}
