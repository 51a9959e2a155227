package sshrun

import (
	"embed"
	"fmt"
	"slices"

	"github.com/scrapli/scrapligo/platform"
)

// own are definitions of command lines that scrapligo does not bring along.
//
//go:embed platforms/*.yaml
var own embed.FS

// driver is how to treat one kind of command line.
type driver struct {
	scrapli string   // name of a definition that scrapligo brings along
	file    string   // or of one of ours, below platforms/
	setup   []string // commands right after login: no paging, wide lines. A refusal does no harm
	enable  enableMode
	direct  bool // commands go by exec, one channel each: there is no prompt to wait for
}

// enableMode says what to do when the prompt ends in ">".
type enableMode int

const (
	enableNever  enableMode = iota // there is no such mode
	enableSecret                   // enter it if a secret is configured
	enableAlways                   // enter it; a secret is asked for rarely
)

// drivers by name: the personalities, and vtysh of FRRouting.
var drivers = map[string]driver{
	"ios":     {scrapli: platform.CiscoIosxe, setup: []string{"terminal length 0", "terminal width 512"}, enable: enableSecret},
	"iosxr":   {scrapli: platform.CiscoIosxr, setup: []string{"terminal length 0", "terminal width 512"}},
	"nxos":    {scrapli: platform.CiscoNxos, setup: []string{"terminal length 0", "terminal width 511"}, enable: enableSecret},
	"eos":     {scrapli: platform.AristaEos, setup: []string{"terminal length 0", "terminal width 32767"}, enable: enableAlways},
	"junos":   {scrapli: platform.JuniperJunos, setup: []string{"set cli screen-length 0", "set cli screen-width 511", "set cli complete-on-space off"}},
	"asa":     {file: "asa.yaml", setup: []string{"terminal pager 0"}, enable: enableSecret},
	"ucm":     {file: "ucm.yaml"},
	"vtysh":   {file: "generic.yaml", setup: []string{"terminal length 0"}, enable: enableSecret},
	"generic": {file: "generic.yaml", setup: []string{"terminal length 0"}, enable: enableSecret},
	"linux":   {direct: true},
}

// Drivers lists the names for Config.Driver.
func Drivers() []string {
	names := make([]string, 0, len(drivers))
	for n := range drivers {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// driver is the one the configuration names, else the personality's, else generic.
func (t Target) driver() driver {
	for _, name := range []string{t.Config.Driver, t.Personality} {
		if d, ok := drivers[name]; ok {
			return d
		}
	}
	return drivers["generic"]
}

// source is what scrapligo takes as a definition: a name, or the bytes of a file.
func (d driver) source() (any, error) {
	if d.file == "" {
		return d.scrapli, nil
	}
	b, err := own.ReadFile("platforms/" + d.file)
	if err != nil {
		return nil, fmt.Errorf("command line definition: %w", err)
	}
	return b, nil
}
