package advisory

import (
	"context"
	"strings"
	"unicode/utf8"

	"callhome/server/account"
	"callhome/server/confighistory"
	"callhome/server/inventory"
)

// Facts are what is known of a device that notices may ask for.
type Facts struct {
	Device     int64
	Company    account.CompanyID
	Platform   string
	Family     string
	Model      string
	Serial     string
	SWVersion  string
	Units      []inventory.Unit // the chassis first, with an empty slot
	Incomplete bool             // no whole inventory has come: units may be missing
	// Config gives the latest configuration, "" when there is none. It is asked when a notice needs it. nil: there is none.
	Config func() (string, error)
}

// FactsOf makes facts of an inventory; config may be nil.
func FactsOf(device int64, company account.CompanyID, i inventory.Inventory, incomplete bool, config func() (string, error)) Facts {
	f := Facts{
		Device: device, Company: company, Platform: i.Platform, Family: i.Family, Model: i.Model, Serial: i.Serial, SWVersion: i.SWVersion,
		Incomplete: incomplete, Config: config,
	}
	f.Units = append(make([]inventory.Unit, 0, len(i.Units)+1), inventory.Unit{
		Kind: inventory.KindChassis, Product: i.Model, Serial: i.Serial, PartNo: i.PartNo, HWVersion: i.HWVersion, SWVersion: i.SWVersion,
	})
	f.Units = append(f.Units, i.Units...)
	return f
}

// Load gathers the facts of a device from the rooms that keep them; ok is false when it has no inventory.
func Load(ctx context.Context, inv inventory.Store, conf confighistory.Store, device int64) (f Facts, ok bool, err error) {
	head, ok, err := inv.Head(ctx, device)
	if err != nil || !ok {
		return Facts{}, false, err
	}
	return loadHead(ctx, inv, conf, head)
}

func loadHead(ctx context.Context, inv inventory.Store, conf confighistory.Store, head inventory.Head) (Facts, bool, error) {
	i, err := inv.Current(ctx, head.Device)
	if err != nil {
		return Facts{}, false, err
	}
	var text string
	var read bool
	return FactsOf(head.Device, head.Company, i, head.Incomplete, func() (string, error) {
		if !read {
			var err error
			if text, err = confighistory.Latest(ctx, conf, head.Device); err != nil {
				return "", err
			}
			read = true
		}
		return text, nil
	}), true, nil
}

// Keys find notices without looking at each: those of a notice's items and those of a device have one in common when the
// notice may concern the device.
//
//	s:iosxe        items for a platform alone
//	p:asr-9006     items for a product ID, part number (n:) or name (f:), in lower case
//	w:c9300-       items for a pattern: what stands before its first wildcard; devices have all beginnings of theirs
//	*              items for serial numbers alone
const anyKey = "*"

// maxPrefix bounds the beginnings of one word of a device.
const maxPrefix = 32

// keysOf are the keys of a notice.
func keysOf(n *Notice) []string {
	set := map[string]bool{}
	for i := range n.Items {
		it := &n.Items[i]
		switch {
		case len(it.Products) > 0:
			patternKeys(set, "p:", "w:", it.Products)
		case len(it.Parts) > 0:
			patternKeys(set, "n:", "v:", it.Parts)
		case len(it.Serials) > 0 || it.HWVersions != "":
			set[anyKey] = true
		case it.Platform != "":
			set["s:"+strings.ToLower(it.Platform)] = true
		case it.Name != "":
			set["f:"+plainName(it.Name)] = true
		}
	}
	return sortedKeys(set)
}

func patternKeys(set map[string]bool, exact, prefix string, patterns []string) {
	for _, p := range patterns {
		p = strings.ToLower(p)
		if i := strings.IndexAny(p, "*?"); i >= 0 {
			set[prefix+beginning(p, min(i, maxPrefix))] = true
			continue
		}
		set[exact+p] = true
	}
}

// keys are the keys of a device.
func (f *Facts) keys() []string {
	set := map[string]bool{anyKey: true}
	if f.Platform != "" {
		set["s:"+f.Platform] = true
	}
	for _, name := range []string{f.Family, f.Model} {
		if name != "" {
			set["f:"+plainName(name)] = true
		}
	}
	for _, u := range f.Units {
		wordKeys(set, "p:", "w:", u.Product)
		wordKeys(set, "n:", "v:", u.PartNo)
	}
	return sortedKeys(set)
}

func wordKeys(set map[string]bool, exact, prefix, word string) {
	word = strings.ToLower(word)
	if word == "" || set[exact+word] {
		return
	}
	set[exact+word] = true
	for i := 0; i <= min(len(word), maxPrefix); i++ {
		set[prefix+beginning(word, i)] = true
	}
}

// beginning is the first n bytes of a word, less the part of a character: databases refuse half ones.
func beginning(word string, n int) string {
	for n > 0 && n < len(word) && !utf8.RuneStart(word[n]) {
		n--
	}
	return word[:n]
}

// plainName is a product's name without case, punctuation and the words that only some write.
func plainName(s string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(strings.ToLower(s[:min(len(s), maxName)]), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
		switch w {
		case "cisco", "series", "software", "systems", "the", "platform", "platforms":
			continue
		}
		b.WriteString(w)
		b.WriteByte(' ')
	}
	name := strings.TrimSpace(b.String())
	return name[:min(len(name), maxIdent)]
}
