using Microsoft.Extensions.Logging;
using Runbooks.Storage;
using TestKit.Engine;
using TestKit.Storage;

namespace Runbooks.Tests.Storage;

public sealed class FileVersionsTests
{
    private readonly InMemorySharedState _state = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task VersionThatIsTooLongToBeKept_LeavesNoOlderOneToGoBackTo()
    {
        using var log = new ListLogger();
        var (files, text) = (new FileVersions(_state, log.CreateLogger<FileVersions>()), new string('x', 300_000));
        files.Use("contacts.yaml", "before");
        await files.SaveAsync(Cancel);
        files.Use("contacts.yaml", text);

        await files.SaveAsync(Cancel);
        await files.SaveAsync(Cancel);

        (await new FileVersions(_state).FindLastAsync("contacts.yaml", Cancel)).ShouldBeNull();
        (await files.FindLastAsync("contacts.yaml", Cancel))!.Text.ShouldBe(text);
        log.Lines.ShouldHaveSingleItem().ShouldStartWith("Error: contacts.yaml, with what belongs to it, is longer than 262144 characters.");
        files.Use("contacts.yaml", "shorter");
        await files.SaveAsync(Cancel);
        (await new FileVersions(_state).FindLastAsync("contacts.yaml", Cancel))!.Text.ShouldBe("shorter");
    }
}
