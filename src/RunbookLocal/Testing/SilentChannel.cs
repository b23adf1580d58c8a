using Runbooks.Messages;

namespace RunbookLocal.Testing;

/// <summary>Everybody is reached, and nothing is sent.</summary>
internal sealed class SilentChannel : INotifier
{
    public const string Name = "silent";

    public string Channel => Name;

    public Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken) => Task.FromResult<string?>(null);
}
