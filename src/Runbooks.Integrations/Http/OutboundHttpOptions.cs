using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Http;

/// <summary>How patient calls to outside systems are. Section <c>OutboundHttp</c>.</summary>
public sealed class OutboundHttpOptions
{
    public const string SectionName = "OutboundHttp";

    /// <summary>The longest one attempt may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest a call may take with all its attempts.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:15:00")]
    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a request that only reads is sent again; nothing else ever is.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 2;

    /// <summary>The pause before the first repetition; later ones double. A Retry-After of the server is honoured instead.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);
}
