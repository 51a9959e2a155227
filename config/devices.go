package config

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"callhome"
	"callhome/agent"
	"callhome/agent/collect/sshrun"
)

// maxDevices bounds a device list: what one agent can speak for within its memory.
const maxDevices = 100_000

// csvColumns are the columns a device list may have, in any order; the first row names them.
var csvColumns = map[string]func(*agent.NetworkDevice, string) error{
	"hostname":    func(d *agent.NetworkDevice, v string) error { d.Hostname = v; return nil },
	"address":     func(d *agent.NetworkDevice, v string) error { d.Address = v; return nil },
	"personality": func(d *agent.NetworkDevice, v string) error { d.Personality = v; return nil },
	"model":       func(d *agent.NetworkDevice, v string) error { d.Model = v; return nil },
	"serial":      func(d *agent.NetworkDevice, v string) error { d.Serial = v; return nil },
	"part_no":     func(d *agent.NetworkDevice, v string) error { d.PartNo = v; return nil },
	"hw_version":  func(d *agent.NetworkDevice, v string) error { d.HWVersion = v; return nil },
	"sw_version":  func(d *agent.NetworkDevice, v string) error { d.SWVersion = v; return nil },
	"brand":       func(d *agent.NetworkDevice, v string) error { d.Brand = v; return nil },
	"series":      func(d *agent.NetworkDevice, v string) error { d.Series = v; return nil },
	"timezone":    func(d *agent.NetworkDevice, v string) error { d.Timezone = v; return nil },
	"site_id":     func(d *agent.NetworkDevice, v string) error { d.SiteID = v; return nil },
	"ssh_port": func(d *agent.NetworkDevice, v string) (err error) {
		sshOf(d).Port, err = strconv.Atoi(v)
		return err
	},
	"ssh_username":      func(d *agent.NetworkDevice, v string) error { sshOf(d).Username = v; return nil },
	"ssh_password_file": func(d *agent.NetworkDevice, v string) error { sshOf(d).PasswordFile = v; return nil },
	"ssh_key_file":      func(d *agent.NetworkDevice, v string) error { sshOf(d).KeyFile = v; return nil },
	"ssh_enable_file":   func(d *agent.NetworkDevice, v string) error { sshOf(d).EnableFile = v; return nil },
}

func sshOf(d *agent.NetworkDevice) *sshrun.Config {
	if d.SSH == nil {
		d.SSH = &sshrun.Config{}
	}
	return d.SSH
}

// deviceList appends the devices of devices_file.
func (d *decoder) deviceList(cfg *Agent) {
	if cfg.DevicesFile == "" {
		return
	}
	path := below(filepath.Dir(d.file), cfg.DevicesFile)
	f, err := os.Open(path)
	if err != nil {
		d.faultAt("devices_file", "%v", err)
		return
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment, r.TrimLeadingSpace = '#', true
	header, err := r.Read()
	if err != nil {
		d.faultAt("devices_file", "%s: the first row must name the columns: %v", path, err)
		return
	}
	for i, name := range header {
		if csvColumns[name] == nil {
			line, col := r.FieldPos(i)
			d.faults = append(d.faults, &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("%s:%d:%d", path, line, col), Msg: fmt.Sprintf("unknown column %q", name)})
			return
		}
	}
	d.deviceRows(r, path, header, cfg)
}

func (d *decoder) deviceRows(r *csv.Reader, path string, header []string, cfg *Agent) {
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			d.faults = append(d.faults, &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("%s:%d:%d", path, pe.Line, pe.Column), Err: pe.Err})
			return
		}
		if err != nil || len(cfg.Devices) >= maxDevices {
			d.faultAt("devices_file", "%s: more than %d devices, or unreadable: %v", path, maxDevices, err)
			return
		}
		var dev agent.NetworkDevice
		for i, v := range row {
			line, col := r.FieldPos(i)
			place := fmt.Sprintf("%s:%d:%d", path, line, col)
			if i == 0 {
				d.places[fmt.Sprintf("devices[%d]", len(cfg.Devices))] = place
			}
			if v == "" {
				continue
			}
			if err := csvColumns[header[i]](&dev, v); err != nil {
				d.faults = append(d.faults, &callhome.Error{Kind: callhome.KindInvalid, Path: place, Msg: fmt.Sprintf("%s: %q is not a number", header[i], v)})
			}
		}
		cfg.Devices = append(cfg.Devices, dev)
	}
}
