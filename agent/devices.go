package agent

import (
	"net/netip"
	"strings"
	"time"

	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

// target is a device as the plan sees it: the agent's own host, a configured network device, or a sender nobody
// configured.
type target struct {
	name        string    // hostname of its entry
	key         []byte    // name, as sequence numbers are kept by it
	numbered    *numbered // nil for strangers
	device      Device
	personality *personality.Personality
	parser      syslog.Parser
	config      *NetworkDevice // nil for the own host and for strangers
}

// deviceIndex finds the device a line belongs to without allocating.
type deviceIndex struct {
	own     *target
	byAddr  map[netip.Addr]*target
	byName  map[string]*target // lower case, without trailing dot
	byShort map[string]*target // first label of byName, where it is unique
	all     []*target
}

func newDeviceIndex(own Device, ownNames []string, devices []NetworkDevice) *deviceIndex {
	x := &deviceIndex{byAddr: map[netip.Addr]*target{}, byName: map[string]*target{}, byShort: map[string]*target{}}
	x.own = newTarget(own)
	x.own.name = own.Hostname
	x.own.numbered = &numbered{disturbed: disturbed{device: own.Hostname}}
	for _, name := range append([]string{"localhost", "127.0.0.1", "::1"}, ownNames...) {
		x.byName[strings.ToLower(name)] = x.own
	}
	x.addName(own.Hostname, x.own)
	for i := range devices {
		d := &devices[i]
		t := newTarget(d.Device)
		t.name, t.config = d.Hostname, d
		t.numbered = &numbered{disturbed: disturbed{device: d.Hostname}}
		x.all = append(x.all, t)
		x.addName(d.Hostname, t)
		for _, a := range append([]string{d.Address}, d.Addresses...) {
			if ip, err := netip.ParseAddr(a); err == nil {
				x.byAddr[ip.Unmap()] = t
			} else if a != "" {
				x.addName(a, t)
			}
		}
	}
	return x
}

func newTarget(d Device) *target {
	p, ok := personality.ByName(d.Personality)
	if !ok {
		p, _ = personality.ByName(string(personality.Generic))
	}
	t := &target{key: []byte(d.Hostname), device: d, personality: p}
	if d.Timezone != "" {
		t.parser.Zone, _ = time.LoadLocation(d.Timezone) // validated
	}
	if t.parser.Zone == nil {
		t.parser.Zone = time.UTC
	}
	if len(p.Dialects) > 0 && d.Personality != "" {
		t.parser.Pinned = p.Dialects[0]
	}
	return t
}

// inherit takes over what devices of the same names had of their own before a reload.
func (x *deviceIndex) inherit(before *deviceIndex) {
	names := make(map[string]*numbered, 1+len(before.all))
	for _, t := range append([]*target{before.own}, before.all...) {
		names[t.name] = t.numbered
	}
	for _, t := range append([]*target{x.own}, x.all...) {
		if n := names[t.name]; n != nil {
			t.numbered = n
		}
	}
}

func (x *deviceIndex) addName(name string, t *target) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "" {
		return
	}
	x.byName[name] = t
	short, _, dotted := strings.Cut(name, ".")
	if _, taken := x.byShort[short]; taken && dotted {
		x.byShort[short] = nil // two devices share it: it names neither
		return
	}
	x.byShort[short] = t
}

// byPeer is the device that sends from an address, nil if unknown.
func (x *deviceIndex) byPeer(peer netip.Addr) *target {
	if !peer.IsValid() {
		return nil
	}
	return x.byAddr[peer.Unmap()]
}

// maxHostname bounds what is looked up; longer names are no host names (RFC 1123: 255).
const maxHostname = 255

// byHost is the device of a host name as lines carry it, nil if unknown.
func (x *deviceIndex) byHost(host []byte) *target {
	if len(host) == 0 || len(host) > maxHostname {
		return nil
	}
	if t := x.byName[string(host)]; t != nil { // as it stands in its entry, which is in small letters
		return t
	}
	var buf [maxHostname]byte
	name := buf[:len(host)]
	dot := len(host)
	for i, c := range host {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == '.' && dot == len(host) {
			dot = i
		}
		name[i] = c
	}
	if name[len(name)-1] == '.' {
		name = name[:len(name)-1]
	}
	if t := x.byName[string(name)]; t != nil {
		return t
	}
	if dot < len(name) {
		if t := x.byName[string(name[:dot])]; t != nil { // configured short, sent long
			return t
		}
	}
	return x.byShort[string(name[:dot])]
}

// find is the device by its entry's name; nothing is the own host.
func (x *deviceIndex) find(name string) *target {
	if name == "" || strings.EqualFold(name, x.own.device.Hostname) {
		return x.own
	}
	if t := x.byName[strings.TrimSuffix(strings.ToLower(name), ".")]; t != nil {
		return t
	}
	return x.stranger(name)
}

// stranger is a sender that no entry knows: it is served as generic, under the name its lines carry.
func (x *deviceIndex) stranger(name string) *target {
	t := newTarget(Device{Hostname: name, Personality: string(personality.Generic)})
	t.name = name
	return t
}

// serial is the device's serial number as message IDs carry it; a device without one is known by its name.
func (t *target) serial() string {
	if t.device.Serial != "" {
		return t.device.Serial
	}
	return t.device.Hostname
}

// deviceID is type@C@serial, empty when neither is known.
func (t *target) deviceID() callhome.DeviceID {
	if t.device.Model == "" && t.device.Serial == "" {
		return ""
	}
	return callhome.MakeDeviceID(t.device.Model, t.serial())
}
