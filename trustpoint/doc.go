// Package trustpoint keeps whom we trust and who we are: named trust points, each with any of a CA bundle, pins of public
// keys and a device certificate, and the tls.Config made of them. It also keeps the trust points that operators import,
// and has a small certification authority for the certificate that a server makes for itself.
//
// On disk a Store is one folder (mode 0700) with one PEM file (0600) of certificates for each trust point:
//
//	trustpoints/
//	    _SmartCallHome_ServerCA.pem
//	    backend-ca.pem
//
// The package opens no connection and checks no revocation; whom a connection has to trust is said by who asks for the
// tls.Config.
package trustpoint
