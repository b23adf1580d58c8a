using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>What a new incident knows of the one before it must not hang on a second write.</summary>
public sealed class OpeningThatBreaksOffTests
{
    private static readonly DateTimeOffset s_start = Given.Night.AddHours(-2);

    /// <summary>The store breaks off before or after any of the operations of one post, and the sender repeats it.</summary>
    [Fact]
    public async Task StoreBreaksOffWhileANewEpisodeOpens_TheNoIsKnownAllTheSame()
    {
        for (var (operation, went) = (1, false); !went; operation++)
        {
            foreach (var fault in (FlakyIncidentStore.Fault[])[FlakyIncidentStore.Fault.Before, FlakyIncidentStore.Fault.After])
            {
                went = await OpenAsync(operation, fault);
            }
        }

        static async Task<bool> OpenAsync(int operation, FlakyIncidentStore.Fault fault)
        {
            IntakeWorld? world = null;
            var left = 0;
            await using var made = world = new IntakeWorld(
                services => services.AddSingleton<IIncidentStore>(_ => new FlakyIncidentStore(world!.World.Store, () => --left == 0 ? fault : FlakyIncidentStore.Fault.None)), Given.Runbook());
            await world.TakeAsync(Firing(0));
            await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
            await world.TakeAsync(Resolved(0, 3));

            left = operation;
            var went = false;
            try
            {
                await world.World.Get<IncidentIntake>().ReceiveAsync([Firing(60)], TestContext.Current.CancellationToken);
                went = left > 0;
            }
            catch (StoreUnavailableException)
            {
            }

            left = 0;
            await world.TakeAsync(Firing(60));
            world.World.Store.All.Count.ShouldBe(2);
            world.World.Store.All[^1].EarlierNo.ShouldNotBeNull($"{fault} operation {operation}").Text.ShouldContain("rejected");
            return went;
        }
    }

    private static Alert Firing(int minute) => Given.Alert() with { StartsAt = s_start.AddMinutes(minute) };

    private static Alert Resolved(int starts, int ends) => Firing(starts) with { Status = AlertStatus.Resolved, EndsAt = s_start.AddMinutes(ends) };
}
