namespace RunbookFunctions.Tests.Host;

/// <summary>The story of the hung GPU on a real Functions host.</summary>
public sealed class HungGpuStory
{
    [Fact]
    public async Task ApprovedIncident_IsRecycledVerifiedAndResolved()
    {
        using var host = new RunningHost();
        var (id, outcome) = await host.AlertAsync(RunningHost.NewPod());
        outcome.ShouldBe("opened");
        await host.WaitForAsync(id, "awaitingApproval");
        var link = await host.LinkAsync(id);
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head, HttpMethod.Get])
        {
            ((int)(await host.OpenAsync(link, method)).StatusCode).ShouldBe(200);
        }

        (await host.GetAsync(id)).GetProperty("state").GetString().ShouldBe("awaitingApproval", "a GET never decides");
        (await host.DecideAsync(link, "approve")).ShouldBe(200);

        var incident = await host.WaitForAsync(id, "resolved");
        incident.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("name").GetString()).ShouldBe(["recycle", "ticket"]);
        (await host.DecideAsync(link, "reject")).ShouldBe(409);
    }

    [Fact]
    public async Task RejectedIncident_TouchesNothing()
    {
        using var host = new RunningHost();
        var (id, _) = await host.AlertAsync(RunningHost.NewPod());
        await host.WaitForAsync(id, "awaitingApproval");

        await host.DecideAsync(await host.LinkAsync(id), "reject");

        (await host.WaitForAsync(id, "rejected")).GetProperty("steps").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task AlertThatIsResolvedWhileItsChecksFail_LeavesTheQuestionOpenAndSaysBoth()
    {
        using var host = new RunningHost();
        var pod = RunningHost.NewPod();
        var (id, _) = await host.AlertAsync(pod);
        await host.WaitForAsync(id, "awaitingApproval");
        var link = await host.LinkAsync(id);

        (await host.AlertAsync(pod, "resolved")).Outcome.ShouldBe("resolved");

        var told = await host.WaitUntilAsync(id, incident => incident.GetProperty("news").GetArrayLength() > 0);
        told.GetProperty("news")[0].GetProperty("text").GetString()!.ShouldContain("The sender says it is over; the checks still fail");
        told.GetProperty("state").GetString().ShouldBe("awaitingApproval");

        (await host.DecideAsync(link, "reject")).ShouldBe(200);
        await host.WaitForAsync(id, "rejected");
    }

    [Fact]
    public async Task HundredAlertsOnOneTargetAtOnce_AreOneIncident()
    {
        using var host = new RunningHost();
        var pod = RunningHost.NewPod();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => host.AlertAsync(pod, fingerprint: $"{n}")));

        answers.Select(answer => answer.Id).Distinct().ShouldHaveSingleItem();
        answers.Count(answer => answer.Outcome == "opened").ShouldBe(1);
        var incident = await host.WaitForAsync(answers[0].Id, "awaitingApproval");
        incident.GetProperty("alertCount").GetInt32().ShouldBe(100);
        await host.DecideAsync(await host.LinkAsync(answers[0].Id), "reject");
        await host.WaitForAsync(answers[0].Id, "rejected");
    }

    [Fact]
    public async Task ManyTargetsAtOnce_AreAsManyIncidents()
    {
        using var host = new RunningHost();

        var opened = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => host.AlertAsync(RunningHost.NewPod())));

        opened.Select(answer => answer.Id).Distinct().Count().ShouldBe(20);
        await Task.WhenAll(opened.Select(async answer =>
        {
            await host.WaitForAsync(answer.Id, "awaitingApproval");
            await host.DecideAsync(await host.LinkAsync(answer.Id), "reject");
            await host.WaitForAsync(answer.Id, "rejected");
        }));
    }

    [Fact]
    public async Task EventWithoutARecordedDecision_ApprovesNothing()
    {
        using var host = new RunningHost();
        var (id, _) = await host.AlertAsync(RunningHost.NewPod());
        await host.WaitForAsync(id, "awaitingApproval");

        foreach (var name in (string[])["wake-1", "wake-2", "wake-3", "approve", "mitigation-1"])
        {
            await host.RaiseAsync(id, name);
        }

        // Events are taken in their order: whatever the earlier ones could do is done before this one ends the incident.
        await host.DecideAsync(await host.LinkAsync(id), "reject");
        var incident = await host.WaitForAsync(id, "rejected");
        incident.GetProperty("steps").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task HostThatIsKilledWhileAPersonIsAsked_GoesOnWithTheDecision()
    {
        using var host = new RunningHost();
        var (id, _) = await host.AlertAsync(RunningHost.NewPod());
        await host.WaitForAsync(id, "awaitingApproval");
        var link = await host.LinkAsync(id);

        await RunningHost.KillAsync();
        (await host.DecideAsync(link, "approve")).ShouldBe(200);

        await host.WaitForAsync(id, "resolved");
    }

    [Fact]
    public async Task HostThatIsKilledWhileItActs_FinishesTheStepOnce()
    {
        using var host = new RunningHost();
        var (id, _) = await host.AlertAsync(RunningHost.NewPod());
        await host.WaitForAsync(id, "awaitingApproval");
        await host.DecideAsync(await host.LinkAsync(id), "approve");
        await host.WaitForAsync(id, "mitigating");

        await RunningHost.KillAsync();

        var incident = await host.WaitForAsync(id, "resolved");
        incident.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("name").GetString()).ShouldBe(["recycle", "ticket"]);
        incident.GetProperty("timeline").EnumerateArray().Count(entry => entry.GetProperty("what").GetString()!.StartsWith("recycle: ", StringComparison.Ordinal)).ShouldBe(1);
    }
}
