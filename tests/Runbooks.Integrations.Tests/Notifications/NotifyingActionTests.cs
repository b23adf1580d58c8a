using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Notifications;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.SignedLinks;
using TestKit;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Notifications;

public sealed class NotifyingActionTests
{
    private static readonly ContactBook s_book = new([new("oncall", [Person("ada")]), new(ContactBook.Fallback, [Person("grace")])]);

    [Theory]
    [InlineData("oncall", "ada", "Told oncall: Look at the disk.")]
    [InlineData("dba", "grace", "Told grace in place of 'dba', which nobody is behind: Look at the disk.")]
    public async Task Step_SaysWhoWasTold(string to, string told, string result)
    {
        var office = new ApprovalOffice(s_book);
        await office.Store.OpenAsync(Some.Incident(), Some.Runbook(), _ => null, TestContext.Current.CancellationToken);
        IAction notify = new Notify(new ServiceCollection().AddSingleton<IIncidentStore>(office.Store).AddSingleton(office.Notifier).AddSingleton(office.Directory)
            .AddSingleton(new DecisionLinks(office.Signer, Options.Create(new PublicAddressOptions()))).BuildServiceProvider());
        var step = new StepContext
        {
            IncidentId = Some.Incident().Id, RunbookId = "r", Target = "n", IdempotencyKey = "k", Evidence = new InMemoryEvidenceStore(), Time = office.Time,
        };
        NotifyParameters parameters = new() { To = to, Message = "Look at the disk." };

        var done = await notify.ApplyAsync(parameters, await notify.PrepareAsync(parameters, step, TestContext.Current.CancellationToken), step, TestContext.Current.CancellationToken);

        done.Result.ShouldBe(result);
        var sent = office.Channel.Sent.ShouldHaveSingleItem();
        sent.To.Recipient.ShouldBe(told);
        sent.Card.Sections.Any(section => section.Heading == "Why you are told").ShouldBe(to == "dba");
    }

    private static Recipient Person(string name) => new(name, [new("test", name, name)]);
}
