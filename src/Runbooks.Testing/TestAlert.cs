using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using YamlDotNet.Serialization;

namespace Runbooks.Testing;

/// <summary>The alert of a test: a file in its sender's form, or the alert itself in the form that <c>generic</c> has.</summary>
[SuppressMessage("Usage", "CA2227", Justification = "Filled by the YAML reader.")]
internal sealed class TestAlert : IShortForm
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Relative to the case; null when the alert stands here.</summary>
    [YamlIgnore, JsonIgnore]
    public string? File { get; set; }

    public string? Name { get; set; }
    public string? Severity { get; set; }
    public string? Summary { get; set; }
    public Dictionary<string, string> Labels { get; set; } = [];
    public Dictionary<string, string> Annotations { get; set; } = [];
    public string? Fingerprint { get; set; }
    public string? Link { get; set; }
    public string? Runbook { get; set; }

    public void Read(string word) => File = word;

    /// <summary>As <c>generic</c> posts it, so that it is bounded and cleaned like any other.</summary>
    public byte[] ToGeneric() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);
}
