namespace Runbooks.Integrations.Http;

/// <summary>Section <c>HttpProbe</c>.</summary>
public sealed class HttpProbeOptions
{
    public const string SectionName = "HttpProbe";

    /// <summary>Hosts that may be probed although their address is private: <c>name</c>, <c>name:port</c> or <c>*.domain</c>.</summary>
    public IList<string> AllowedHosts { get; } = [];
}
