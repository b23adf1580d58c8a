namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>A pod by its name, with the lives it has had. All that it shows follows from its lives and the time.</summary>
internal sealed class PracticePod(string name, PodOwner? owner, string container, PodLife first)
{
    private readonly List<PodLife> _lives = [first];

    public string Name => name;

    public PodOwner? Owner => owner;

    public string Container => container;

    public IReadOnlyList<PodLife> Lives => _lives;

    /// <summary>The life that a GET shows; null once the last one has ended, or before the first began.</summary>
    public PodLife? At(DateTimeOffset now) => _lives.LastOrDefault(life => life.CreatedAt <= now && !(life.EndsAt <= now));

    public PodLife? Before(PodLife life)
    {
        var index = _lives.IndexOf(life);
        return index > 0 ? _lives[index - 1] : null;
    }

    public void End(PodLife life, DateTimeOffset deletedAt, DateTimeOffset endsAt) =>
        _lives[_lives.IndexOf(life)] = life with { DeletedAt = deletedAt, EndsAt = endsAt };

    public void Begin(PodLife life)
    {
        _lives.Add(life);
        // The range can run for weeks: only the life before this one is ever asked for again.
        if (_lives.Count > 3)
        {
            _lives.RemoveAt(0);
        }
    }
}

/// <summary>The controller that respawns a pod.</summary>
internal sealed record PodOwner(string Kind, string Name, string Uid);
