using System.Net;
using System.Net.Sockets;

namespace Runbooks.Integrations.Http;

/// <summary>Tells addresses of the open internet from those that only reach inside: private, link-local, metadata services.</summary>
public static class PublicAddress
{
    private static readonly IPNetwork[] Inside =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32", // Azure's own channel to its agents, reachable from every VM
            "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "100::/64", "2001:db8::/32",
            "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", // these carry an IPv4 address inside
        }.Select(IPNetwork.Parse),
    ];

    public static bool Is(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6
            && !Inside.Any(network => network.Contains(address));
    }
}
