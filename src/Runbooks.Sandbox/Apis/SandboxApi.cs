using System.Text.Json.Serialization;

namespace Runbooks.Sandbox.Apis;

/// <summary>
/// One API of the sandbox: its routes, its state, and its error format. To add one, derive from this in a folder of its own and name it
/// in <see cref="SandboxServices"/>.
/// </summary>
internal abstract class SandboxApi(string name)
{
    /// <summary>The first segment of its paths, and its name in faults and in the state.</summary>
    public string Name => name;

    /// <param name="routes">Already under <c>/{Name}</c>.</param>
    public abstract void Map(IEndpointRouteBuilder routes);

    public abstract object Describe();

    public abstract void Reset();

    /// <summary>An error in the API's own format; also the answer of a fault with a status code.</summary>
    public abstract IResult Error(int status, HttpRequest request);

    public virtual bool CanHit(Fault fault, HttpRequest request) => true;
}

internal static class JsonBody
{
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

/// <summary>A post to the sandbox itself. It counts as JSON whatever its Content-Type is, since <c>curl -d</c> declares a form.</summary>
internal static class PracticeBody
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <returns>The value, null where the body is empty; or what is wrong with it.</returns>
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

public sealed record SandboxOptions
{
    public const int DefaultPort = 7072;

    /// <summary>The loopback port; 0 for any free one.</summary>
    public int Port { get; init; } = DefaultPort;

    public TimeSpan TerminatesAfter { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan ReadyAfter { get; init; } = TimeSpan.FromMilliseconds(1500);

    public TimeSpan ProviderRecoversAfter { get; init; } = TimeSpan.FromMinutes(3);

    public TimeSpan RegionRecoversAfter { get; init; } = TimeSpan.FromMinutes(3);

    public TimeSpan AbuserTiresAfter { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan LoadLastsFor { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan OperationTakes { get; init; } = TimeSpan.FromSeconds(1);

    public string? StateFile { get; init; }

    public string? LogFile { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}

internal interface IRemembered
{
    string Key { get; }

    JsonNode? Save();

    void Load(JsonNode saved);
}

internal sealed class SandboxChanges
{
    private int _version;

    /// <summary>Taken to change JSON that is saved, and to save it.</summary>
    public Lock Gate { get; } = new();

    public int Version => Volatile.Read(ref _version);

    public void Touch() => Interlocked.Increment(ref _version);
}

/// <summary>Keeps the state in one file. A change is on disk before its request is answered.</summary>
internal sealed class SandboxMemory(IEnumerable<IRemembered> parts, SandboxChanges changes, SandboxOptions options)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly List<IRemembered> _parts = [.. parts];
    private int _saved;

    /// <summary>A file that cannot be read is set aside, and the sandbox begins again, which a person sees at once.</summary>
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

/// <summary>A moment that begins with the first question, so that a trouble is there when somebody looks. It stays the same after that.</summary>
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

    public void Reset() => Set(null);

    /// <summary>It counts as over.</summary>
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
