using System.Net;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

/// <summary>A link that was sent to a room or a group offers no yes that could not count.</summary>
public sealed class RoomLinkTests : IAsyncLifetime
{
    private readonly WebHost _host = new()
    {
        Book = new ContactBook(
        [
            new("oncall", [new("ops-room", [new("test", "ops", "ops-room")]) { IsRoom = true, Members = ["ada"] }, new("ada", [new("test", "ada", "ada")])]),
            new("ml", [new("ada", [new("test", "ada", "ada")])]),
            new(ContactBook.Fallback, [new("grace", [new("test", "grace", "grace")])]),
        ]),
    };

    [Fact]
    public async Task OneApprovalIsEnough_OffersIt() => (await PageAsync(gate => gate)).ShouldContain("value=\"approve\"");

    [Theory]
    [InlineData(2, false, null)]
    [InlineData(1, true, null)]
    [InlineData(1, false, "ml")]
    public async Task PeopleAreCounted_SaysWhyAndOffersNoYes(int required, bool separate, string? owner)
    {
        var page = await PageAsync(gate => gate with { Required = required, SeparationOfDuties = separate, OwnerTeam = owner });

        page.ShouldContain("This link was sent to ops-room and does not show who you are, but this approval has to count people. Decide from a message of your own");
        page.ShouldNotContain("value=\"approve\"");
        page.ShouldContain("value=\"reject\"");
        page.ShouldContain("value=\"takeOver\"");
    }

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task<string> PageAsync(Func<Gate, Gate> change)
    {
        var waiting = Some.Waiting(gate: change(Some.Gate()));
        await _host.OpenAsync(waiting);
        return WebUtility.HtmlDecode(await _host.Browser.GetStringAsync($"/decide?token={_host.Token(waiting, "ops-room")}", TestContext.Current.CancellationToken));
    }
}
