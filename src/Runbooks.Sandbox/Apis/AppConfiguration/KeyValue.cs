using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis.AppConfiguration;

/// <summary>A key-value as App Configuration shows it.</summary>
internal sealed record KeyValue
{
    [JsonPropertyName("etag")]
    public required string ETag { get; init; }

    [JsonPropertyName("key")]
    public required string Key { get; init; }

    [JsonPropertyName("label")]
    public string? Label { get; init; }

    [JsonPropertyName("content_type")]
    public string? ContentType { get; init; }

    [JsonPropertyName("value")]
    public string? Value { get; init; }

    [JsonPropertyName("last_modified")]
    public required DateTimeOffset LastModified { get; init; }

    [JsonPropertyName("locked")]
    public bool Locked { get; init; }
}

/// <summary>The body of a PUT.</summary>
internal sealed record KeyValueChange
{
    [JsonPropertyName("content_type")]
    public string? ContentType { get; init; }

    [JsonPropertyName("value")]
    public string? Value { get; init; }
}
