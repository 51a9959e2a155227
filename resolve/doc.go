// Package resolve finds and reaches the servers that messages go to. It is a chain: each step is tried when the one before
// gave no address, and none of them changes any configuration.
//
//	addresses and the hosts file
//	configured name servers         (those of /etc/resolv.conf when none are given)
//	name servers offered by DHCP    (DHCPINFORM on the interface with the highest security level)
//	fallback resolvers
//	static endpoints, in random order
//
// It owns dialling too: both address families, source address, source interface and VRF. It does no TLS and knows
// nothing of proxies or protocols above TCP.
package resolve
