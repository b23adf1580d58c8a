using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis;

/// <summary>Key-values and locks of Azure App Configuration, with etags.</summary>
internal sealed class AppConfigurationApi(SandboxChanges changes, TimeProvider time) : SandboxApi("appconfiguration"), IRemembered
{
    private const string ContentType = "application/vnd.microsoft.appconfig.kv+json; charset=utf-8";
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(string Key, string Label), KeyValue> _values = [];
    private int _version;

    string IRemembered.Key => "appconfiguration";

    JsonNode? IRemembered.Save() => JsonSerializer.SerializeToNode(new SavedValues(Volatile.Read(ref _version), All()));

    void IRemembered.Load(JsonNode saved)
    {
        (_version, var values) = saved.Deserialize<SavedValues>()!;
        foreach (var value in values)
        {
            _values[(value.Key, value.Label ?? "")] = value;
        }
    }

    public override void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/kv", (
            HttpRequest request,
            string? key,
            string? label) => request.Query["api-version"].Count == 0 ? Error(400, request) : Results.Json(
            new
            {
                items = All().Where(item => key is null or "*" || item.Key == key).Where(item => label is null or "*"
                    || (item.Label ?? "") == label.TrimEnd('\0'))
                    .Select(item => Selected(item, request.Query["$select"])),
            },
            contentType: "application/vnd.microsoft.appconfig.kvset+json; charset=utf-8"));
        routes.MapMethods("/kv/{**key}", ["GET", "PUT", "DELETE"], (Delegate)AnswerAsync);
        routes.MapMethods("/locks/{**key}", ["PUT", "DELETE"], (HttpRequest request) => Checked(request, (key, now) =>
            now is null ? Error(404, request) : Keep(request, key, now with { Locked = request.Method == "PUT" })));
    }

    /// <param name="fields">As <c>$select</c> names them; all of them when it names none.</param>
    private static JsonObject Selected(KeyValue item, string? fields)
    {
        var all = JsonSerializer.SerializeToNode(item)!.AsObject();
        foreach (var field in string.IsNullOrEmpty(fields) ? [] : all.Select(one => one.Key).Except(fields.Split(',')).ToList())
        {
            all.Remove(field);
        }

        return all;
    }

    public override object Describe() => All().ToDictionary(
        item => item.Key + (item.Label is null ? "" : $" [{item.Label}]"), item => new { item.Value, item.ETag, item.Locked });

    public override void Reset()
    {
        lock (_lock)
        {
            _values.Clear();
            changes.Touch();
        }
    }

    public override IResult Error(int status, HttpRequest request)
    {
        if (status == 429)
        {
            request.HttpContext.Response.Headers["retry-after-ms"] = "1";
        }

        // As in the service: these two have no body.
        return status is 404 or 412
            ? Results.StatusCode(status)
            : Results.Json(
                new
                {
                    type = status == 409 ? "https://azconfig.io/errors/key-locked" : $"https://azconfig.io/errors/{status}",
                    title = status switch
                    {
                        403 => "The identity is not allowed to do this.",
                        409 => "Modifying key is not allowed",
                        429 => "Resource utilization has surpassed the assigned quota",
                        _ => "The request could not be served.",
                    },
                    status,
                },
                contentType: "application/problem+json",
                statusCode: status);
    }

    private IReadOnlyList<KeyValue> All()
    {
        lock (_lock)
        {
            return [.. _values.Values];
        }
    }

    private async Task<IResult> AnswerAsync(HttpRequest request)
    {
        KeyValueChange? change = null;
        if (request.Method == "PUT")
        {
            try
            {
                change = await JsonSerializer.DeserializeAsync<KeyValueChange>(request.Body, cancellationToken: request.HttpContext.RequestAborted);
            }
            catch (JsonException)
            {
                return Error(400, request);
            }
        }

        return Checked(request, (key, now) => (request.Method, now) switch
        {
            ("GET", null) => Error(404, request),
            ("GET", _) => Show(request, now),
            (_, { Locked: true }) => Error(409, request),
            ("PUT", _) => Keep(request, key, new KeyValue
            {
                ETag = "",
                Key = key.Key,
                Label = key.Label.Length == 0 ? null : key.Label,
                ContentType = change!.ContentType,
                Value = change.Value,
                Tags = change.Tags,
                LastModified = time.GetUtcNow(),
            }),
            (_, null) => Results.NoContent(),
            _ => Remove(request, key, now),
        });
    }

    private IResult Checked(HttpRequest request, Func<(string Key, string Label), KeyValue?, IResult> answer)
    {
        if (request.Query["api-version"].Count == 0)
        {
            return Error(400, request);
        }

        var key = (Uri.UnescapeDataString(request.RouteValues["key"] as string ?? ""), request.Query["label"].ToString().TrimEnd('\0'));
        lock (_lock)
        {
            var now = _values.GetValueOrDefault(key);
            var holds = Matches(request.Headers.IfMatch, now) ?? !(Matches(request.Headers.IfNoneMatch, now) ?? false);
            return holds ? answer(key, now) : Error(412, request);
        }
    }

    private static bool? Matches(string? header, KeyValue? now) => string.IsNullOrEmpty(header) ? null
        : header == "*" ? now is not null
        : now is not null && header == $"\"{now.ETag}\"";

    private IResult Keep(HttpRequest request, (string Key, string Label) key, KeyValue value)
    {
        changes.Touch();
        return Show(request, _values[key] = value with { ETag = "v" + (++_version).ToString(CultureInfo.InvariantCulture) });
    }

    private IResult Remove(HttpRequest request, (string Key, string Label) key, KeyValue now)
    {
        _values.Remove(key);
        changes.Touch();
        return Show(request, now);
    }

    private sealed record SavedValues(int Version, IReadOnlyList<KeyValue> Values);

    private static IResult Show(HttpRequest request, KeyValue value)
    {
        request.HttpContext.Response.Headers.ETag = $"\"{value.ETag}\"";
        return Results.Json(value, contentType: ContentType);
    }
}

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

    [JsonPropertyName("tags")]
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    [JsonPropertyName("last_modified")]
    public required DateTimeOffset LastModified { get; init; }

    [JsonPropertyName("locked")]
    public bool Locked { get; init; }
}

internal sealed record KeyValueChange
{
    [JsonPropertyName("tags")]
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    [JsonPropertyName("content_type")]
    public string? ContentType { get; init; }

    [JsonPropertyName("value")]
    public string? Value { get; init; }
}
