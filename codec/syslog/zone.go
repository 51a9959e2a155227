package syslog

// zoneOffsets are the zone names that mean one offset wherever they are used, in minutes east of UTC. Source: the tz
// database, names that occur there with one meaning today.
var zoneOffsets = map[string]int16{
	"UTC": 0, "GMT": 0, "Z": 0, "UCT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "MET": 60, "MEST": 120, "MESZ": 120,
	"MEZ": 60, "EET": 120, "EEST": 180, "MSK": 180, "MSD": 240, "TRT": 180, "SAST": 120, "CAT": 120, "EAT": 180, "WAT": 60,
	"JST": 540, "KST": 540, "HKT": 480, "SGT": 480, "PHT": 480, "WIB": 420, "WITA": 480, "WIT": 540, "ICT": 420,
	"PKT": 300, "NPT": 345, "UZT": 300, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660,
	"NZST": 720, "NZDT": 780, "HST": -600, "HDT": -540, "AKST": -540, "AKDT": -480, "PST": -480, "PDT": -420, "MST": -420,
	"MDT": -360, "CDT": -300, "EDT": -240, "ADT": -180, "NST": -210, "NDT": -150, "BRT": -180, "BRST": -120,
	"ART": -180, "CLT": -240, "CLST": -180, "COT": -300, "PET": -300, "VET": -240, "BOT": -240, "UYT": -180, "PYT": -240,
	"AST": -240, "SST": -660, "ChST": 600, "CHST": 600, "IDT": 180, "IRST": 210,
}

// zoneAmbiguous are names with several meanings, or none: they are never guessed.
var zoneAmbiguous = map[string]bool{
	"EST": true, "CST": true, "IST": true, "BST": true, "DST": true, "ET": true, "CT": true, "MT": true, "PT": true,
	"LMT": true, "LOCAL": true, "GST": true, "WST": true, "ECT": true, "AMT": true,
}

// longestZone bounds a zone's name: IOS and CiscoLog allow 7 octets.
const longestZone = 8

// zoneOf finds what a zone text means. known is false for a text that is no zone we have heard of.
func (p *Parser) zoneOf(z []byte) (offset int32, exact, known bool) {
	if len(z) == 3 && (string(z) == "UTC" || string(z) == "GMT") {
		return 0, true, true
	}
	if len(z) == 0 || len(z) > longestZone {
		return 0, false, false
	}
	if p.Zones != nil {
		if seconds, ok := p.Zones[string(z)]; ok {
			return int32(seconds), true, true
		}
	}
	if class[z[0]]&isUpper == 0 { // a sign, or no zone: all names begin with a capital
		off, n := scanOffset(z)
		return off, n == len(z), n == len(z)
	}
	if minutes, ok := zoneOffsets[string(z)]; ok {
		return int32(minutes) * 60, true, true
	}
	if len(z) > 3 && (string(z[:3]) == "UTC" || string(z[:3]) == "GMT") {
		if off, n := scanOffset(z[3:]); n == len(z)-3 {
			return off, true, true
		}
	}
	return 0, false, zoneAmbiguous[string(z)]
}

// zoneOfSmall is zoneOf for a name that someone configured in small letters. A host may have such a name, so it is only
// asked where no host stands.
func (p *Parser) zoneOfSmall(z []byte) (offset int32, exact, known bool) {
	if !allClass(z, isLower) || len(z) > longestZone {
		return 0, false, false
	}
	var capitals [longestZone]byte
	for i, c := range z {
		capitals[i] = c &^ 0x20
	}
	return p.zoneOf(capitals[:len(z)])
}

// scanOffset reads +hh, +hhmm, +hh:mm, +h or +h:mm at the start of b.
func scanOffset(b []byte) (offset int32, n int) {
	if len(b) < 2 || b[0] != '+' && b[0] != '-' {
		return 0, 0
	}
	hours, i := two(b, 1), 3
	if hours < 0 {
		if !digit(b[1]) {
			return 0, 0
		}
		hours, i = int(b[1]-'0'), 2
	}
	minutes := 0
	switch {
	case i < len(b) && b[i] == ':' && two(b, i+1) >= 0:
		minutes, i = two(b, i+1), i+3
	case i == 3 && two(b, i) >= 0:
		minutes, i = two(b, i), i+2
	}
	if hours > 23 || minutes > 59 || i < len(b) && digit(b[i]) {
		return 0, 0
	}
	offset = int32(hours*3600 + minutes*60)
	if b[0] == '-' {
		offset = -offset
	}
	return offset, i
}

// longestFreeZone bounds a zone's name that no table has, where it could be a host as well.
const longestFreeZone = 5

// looksLikeZone reports whether a token could be the free name of a zone: three capitals or more.
func looksLikeZone(z []byte) bool { return len(z) >= 3 && allClass(z, isUpper) }
