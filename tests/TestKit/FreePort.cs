using System.Net;
using System.Net.Sockets;

namespace TestKit;

/// <summary>
/// Ports on which nobody listens, each given once in a process. They lie below those that Linux takes for outgoing connections
/// (from 32,768): one of those may be free when it is looked at, and some client's a moment later.
/// </summary>
public static class FreePort
{
    private const int First = 10_000, Last = 32_000;

    private static int s_given = Random.Shared.Next(Last - First);

    public static int Next()
    {
        while (true)
        {
            var port = First + (Interlocked.Increment(ref s_given) % (Last - First));
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
            }
        }
    }
}
