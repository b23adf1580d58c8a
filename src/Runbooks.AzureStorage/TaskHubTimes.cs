namespace Runbooks.AzureStorage;

/// <summary>
/// How quickly work is noticed, and how quickly that of a process that died is taken over: after the longest of lease and
/// lock, and the time between two looks. Each look costs an operation.
/// </summary>
internal sealed record TaskHubTimes
{
    public static readonly TaskHubTimes Usual = new();

    /// <summary>An idle queue is looked at this often. A queue with work in it is looked at every 50 ms.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A message that was taken stays hidden from others for this long; renewed while it is worked on.</summary>
    public TimeSpan Lock { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A quarter of all instances belongs to a process for this long; renewed by it at every look. Longer than the clocks of
    /// two machines ever differ.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Leases are looked at this often.</summary>
    public TimeSpan LeaseLook { get; init; } = TimeSpan.FromSeconds(5);
}
