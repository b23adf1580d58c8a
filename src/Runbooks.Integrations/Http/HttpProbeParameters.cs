using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Http;

public sealed record HttpProbeParameters
{
    [Required, HttpUrl]
    [Description("What to ask; http or https.")]
    public required string Url { get; init; }

    [Description("How to ask.")]
    public ProbeMethod Method { get; init; } = ProbeMethod.Get;

    [Range(100, 599)]
    [Description("The status code of a healthy answer.")]
    public int ExpectStatus { get; init; } = 200;

    [MaxLength(1000)]
    [Description("Text that a healthy answer contains, within its first 64 KiB.")]
    public string? ExpectBody { get; init; }

    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    [Description("How long to wait for the whole answer.")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

public enum ProbeMethod { Get, Head }
