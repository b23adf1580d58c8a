namespace Runbooks.Sandbox.Apis;

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
