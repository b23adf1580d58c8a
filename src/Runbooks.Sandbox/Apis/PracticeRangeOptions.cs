namespace Runbooks.Sandbox.Apis;

/// <summary>How the practice range is started.</summary>
public sealed record PracticeRangeOptions
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

    /// <summary>How long a long-running operation takes.</summary>
    public TimeSpan OperationTakes { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock that all state of the range follows.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
