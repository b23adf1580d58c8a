namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>One pod object from its creation to its end; a replacement is another life with another UID.</summary>
internal sealed record PodLife(string Uid, DateTimeOffset CreatedAt, DateTimeOffset ReadyAt)
{
    /// <summary>When it stopped answering and logging; null for a healthy one.</summary>
    public DateTimeOffset? HungAt { get; init; }

    /// <summary>When its deletion was asked for.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>When it was gone.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    public bool IsReady(DateTimeOffset now) => now >= ReadyAt;

    public bool IsHung(DateTimeOffset now) => HungAt <= now;
}
