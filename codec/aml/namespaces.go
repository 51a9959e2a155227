package aml

// Namespaces of a call-home message (CSR 1000V Software Configuration Guide, XML sample).
const (
	nsSOAP    = "http://www.w3.org/2003/05/soap-envelope"
	nsSession = "http://www.cisco.com/2004/01/aml-session"
	nsBlock   = "http://www.cisco.com/2004/01/aml-block"
	nsCH      = "http://www.cisco.com/2005/05/callhome"
	nsRME     = "http://www.cisco.com/rme/4.0"

	// nsExt holds what no element of the field carries: processes and free pairs. Receivers that do not know it pass
	// over it.
	nsExt = "urn:callhome:extension:1"
)

// space is a namespace by number, so that elements are compared without their URIs.
type space uint8

const (
	spaceOther space = iota // none, an unbound prefix, or a URI that is not ours
	spaceSOAP
	spaceSession
	spaceBlock
	spaceCH
	spaceRME
	spaceExt
)

// spaceOf is the number of a URI.
func spaceOf(uri string) space {
	switch uri {
	case nsSOAP, "http://schemas.xmlsoap.org/soap/envelope/":
		return spaceSOAP
	case nsSession:
		return spaceSession
	case nsBlock:
		return spaceBlock
	case nsCH:
		return spaceCH
	case nsRME:
		return spaceRME
	case nsExt:
		return spaceExt
	}
	return spaceOther
}

// binding is one namespace declaration in force.
type binding struct {
	prefix string
	space  space
}

// bind puts the declarations of a start tag in force.
func bind(in []binding, attrs []attr) []binding {
	for i := range attrs {
		switch a := &attrs[i]; {
		case a.prefix == "xmlns":
			in = append(in, binding{a.local, spaceOf(a.value)})
		case a.prefix == "" && a.local == "xmlns":
			in = append(in, binding{"", spaceOf(a.value)})
		}
	}
	return in
}

// resolve is the namespace of a prefix, by the innermost declaration.
func resolve(in []binding, prefix string) space {
	for i := len(in) - 1; i >= 0; i-- {
		if in[i].prefix == prefix {
			return in[i].space
		}
	}
	return spaceOther
}
