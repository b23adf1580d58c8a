using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis;

/// <summary>
/// One API that the sandbox speaks: its routes, its state, and how it words its errors. To add one, derive from this in
/// a folder of its own and name it in <see cref="SandboxServices"/>.
/// </summary>
internal abstract class SandboxApi(string name)
{
    /// <summary>The first segment of its paths, and its name in faults and in the state.</summary>
    public string Name => name;

    /// <param name="routes">Already under <c>/{Name}</c>.</param>
    public abstract void Map(IEndpointRouteBuilder routes);

    /// <summary>Its state for tests and the curious; serialised as JSON.</summary>
    public abstract object Describe();

    /// <summary>Back to how it began.</summary>
    public abstract void Reset();

    /// <summary>An error response in the API's own words; also what a fault with a status code answers.</summary>
    public abstract IResult Error(int status, HttpRequest request);

    /// <summary>Whether this request is one that the fault could meet in the real API.</summary>
    public virtual bool CanHit(Fault fault, HttpRequest request) => true;
}

/// <summary>What a request to an API carries.</summary>
internal static class JsonBody
{
    /// <returns>Null when it is no JSON.</returns>
    public static async Task<JsonNode?> ReadAsync(HttpRequest request)
    {
        try
        {
            return await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What somebody posts to the sandbox itself, to practise on. It is JSON whatever its Content-Type says: <c>curl -d</c> says that it is a form.</summary>
internal static class PracticeBody
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <returns>What was posted, null where the body is empty; or what is wrong with it.</returns>
    public static async Task<(T? Posted, string? Problem)> ReadAsync<T>(HttpRequest request, string example)
        where T : class
    {
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        try
        {
            return (string.IsNullOrWhiteSpace(text) ? null : JsonSerializer.Deserialize<T>(text, s_json), null);
        }
        catch (JsonException invalid)
        {
            return (null, $"{invalid.Message} Example: {example}");
        }
    }

    public static IResult Answer(string? problem) => problem is null ? Results.NoContent() : Results.Json(new { error = problem }, statusCode: 400);
}

/// <summary>How the sandbox is started.</summary>
public sealed record SandboxOptions
{
    public const int DefaultPort = 7072;

    /// <summary>The loopback port; 0 for any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>How long a deleted pod lingers before its replacement is created.</summary>
    public TimeSpan TerminatesAfter { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a new pod takes from its creation until it is ready.</summary>
    public TimeSpan ReadyAfter { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>How long the provider's outage lasts from the first question on.</summary>
    public TimeSpan ProviderRecoversAfter { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How long region b stays slow from the first question on.</summary>
    public TimeSpan RegionRecoversAfter { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How long somebody goes on sending abuse.</summary>
    public TimeSpan AbuserTiresAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long the rush on the chat servers lasts from the first question on.</summary>
    public TimeSpan LoadLastsFor { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a long-running operation takes.</summary>
    public TimeSpan OperationTakes { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Where the state is kept over a restart; null to forget it.</summary>
    public string? StateFile { get; init; }

    /// <summary>Where a line is written for each request; null for nowhere.</summary>
    public string? LogFile { get; init; }

    /// <summary>The clock that all state of the sandbox follows.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>A part of the sandbox's state that outlives a restart.</summary>
internal interface IRemembered
{
    string Key { get; }

    JsonNode? Save();

    void Load(JsonNode saved);
}

/// <summary>Whether something changed that has to be kept, for those who change it.</summary>
internal sealed class SandboxChanges
{
    private int _version;

    /// <summary>Held by whoever changes JSON that is saved, and while it is saved.</summary>
    public Lock Gate { get; } = new();

    public int Version => Volatile.Read(ref _version);

    public void Touch() => Interlocked.Increment(ref _version);
}

/// <summary>Keeps the state in one file. A change is on disk before the request that made it is answered.</summary>
internal sealed class SandboxMemory(IEnumerable<IRemembered> parts, SandboxChanges changes, SandboxOptions options)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly List<IRemembered> _parts = [.. parts];
    private int _saved;

    /// <summary>What cannot be read is left behind: the sandbox begins anew, which a person sees at once.</summary>
    public void Load()
    {
        if (options.StateFile is not { } file || !File.Exists(file))
        {
            return;
        }

        try
        {
            var state = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
            foreach (var part in _parts)
            {
                if (state[part.Key] is { } saved)
                {
                    part.Load(saved);
                }
            }
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or FormatException or NotSupportedException)
        {
            File.Move(file, file + ".unreadable", overwrite: true);
        }
    }

    public void SaveIfChanged()
    {
        if (options.StateFile is not { } file || changes.Version == Volatile.Read(ref _saved))
        {
            return;
        }

        lock (changes.Gate)
        {
            var version = changes.Version;
            if (version == _saved)
            {
                return;
            }

            var state = new JsonObject();
            foreach (var part in _parts)
            {
                state[part.Key] = part.Save();
            }

            File.WriteAllText(file + ".new", state.ToJsonString(Json));
            File.Move(file + ".new", file, overwrite: true);
            Volatile.Write(ref _saved, version);
        }
    }
}

/// <summary>A moment that begins with the first question and is the same for all later ones: a trouble is there when somebody looks.</summary>
internal sealed class FirstAsked(string key, SandboxChanges changes, TimeProvider time) : IRemembered
{
    private readonly Lock _lock = new();
    private DateTimeOffset? _at;

    public string Key => key;

    public DateTimeOffset At
    {
        get
        {
            lock (_lock)
            {
                if (_at is null)
                {
                    _at = time.GetUtcNow();
                    changes.Touch();
                }

                return _at.Value;
            }
        }
    }

    /// <summary>Null while nobody has asked.</summary>
    public DateTimeOffset? Known
    {
        get
        {
            lock (_lock)
            {
                return _at;
            }
        }
    }

    /// <summary>As if nobody had asked yet: it begins with the next question.</summary>
    public void Reset() => Set(null);

    /// <summary>As if it had begun long ago: it is over.</summary>
    public void End() => Set(DateTimeOffset.UnixEpoch);

    private void Set(DateTimeOffset? at)
    {
        lock (_lock)
        {
            _at = at;
            changes.Touch();
        }
    }

    public JsonNode? Save() => JsonSerializer.SerializeToNode(Known);

    public void Load(JsonNode saved) => _at = saved.Deserialize<DateTimeOffset?>();
}
