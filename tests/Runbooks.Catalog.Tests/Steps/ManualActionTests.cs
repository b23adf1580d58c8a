using System.Text.Json;
using Runbooks.Catalog.Steps;

namespace Runbooks.Catalog.Tests.Steps;

public class ManualActionTests
{
    /// <summary>Otherwise the card says what such a step is, and not what is asked of whom.</summary>
    [Fact]
    public void StepThatNeedsWhatAnotherGives_SaysAllTheSameWhatIsAsked()
    {
        var shown = JsonSerializer.SerializeToElement(new
        {
            who = (string[])["oncall", "ada"],
            instruction = "Look after {{ steps.drain.pending }}, please.",
            checklist = (string[])["It runs.", "It answers."],
        });

        ManualAction.Planned(shown).ShouldBe("A person does this (oncall, ada): Look after (known after drain), please. 2 items to tick.");
    }

    [Fact]
    public void InstructionWithoutAStop_DoesNotRunIntoTheItems()
    {
        var shown = JsonSerializer.SerializeToElement(new { who = (string[])["oncall"], instruction = "Ask for quota", checklist = (string[])["asked"] });

        ManualAction.Planned(shown).ShouldBe("A person does this (oncall): Ask for quota. 1 item to tick.");
    }
}
