// Package httpsend is the Sender by HTTP and HTTPS: it posts the body of an envelope as it stands, over connections that
// are kept open, directly or through a proxy. It owns whom each address has to trust, what is shown to it, and what an
// answer means: taken, to be tried again, or never. It follows no redirect.
package httpsend
